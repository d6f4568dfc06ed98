package clink

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A stored body is sent byte for byte as it stands, even where our own encoder would write it in another way.
func TestStoredBodyIsSentAsItStands(t *testing.T) {
	for _, stored := range []string{
		`{"originalAmount":1.50,"originalCurrency":"USD","customerId":"a&b","new":[1]}`,
		`{"originalCurrency":"USD", "customerId":"a\u0026\/b","originalAmount":1.50}` + "\n",
	} {
		r, err := ReadRequest(stored)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Body(); err != nil || got != stored {
			t.Errorf("got %s, %v, want %s", got, err, stored)
		}
	}
}

// What a request is compared by must be the same before and after it has been stored.
func TestReadRequestIsThePreparedOne(t *testing.T) {
	prepared := SessionRequest{
		Amount: "19.90", Currency: "USD", CustomerID: "cus_1", CustomerEmail: "a@b.c", ReferenceCustomerID: "ref_1",
		MerchantReferenceID: "INV-1 \"é\" <&>\u2028", UIMode: "elements", PriceData: []PriceData{{Name: "茶", UnitAmount: "19.90"}},
	}.Prepare()
	want := Request{Amount: "19.90", Currency: "USD", CustomerID: "cus_1", CustomerEmail: "a@b.c", ReferenceCustomerID: "ref_1",
		MerchantReferenceID: "INV-1 \"é\" <&>\u2028", UIMode: "elements", body: prepared.body}
	read, err := ReadRequest(prepared.body)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]Request{"prepared": prepared, "read": read} {
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Request{})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestReadRequestRefuses(t *testing.T) {
	for _, stored := range []string{
		"", " ", "[]", `"{}"`, "1", `{"originalAmount":1`, `{"originalAmount":1}}`, `{"originalAmount":"ten"}`, `{"originalAmount":01}`,
		`{"originalAmount":""}`, `{"originalAmount":1,"customerId":5}`, `{"originalAmount":1,"priceDataList":{}}`, `{"originalAmount":1,"customerId":"\x"}`,
	} {
		if r, err := ReadRequest(stored); err == nil {
			t.Errorf("%q: got %v", stored, r)
		}
	}
}
