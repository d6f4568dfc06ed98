package clink

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzReadRequest reads every stored body twice: as the package does, and by decoding it with [json.Unmarshal] and encoding
// it anew. Both must send the same bytes, hold the answer against the same values, and refuse with the same words.
func FuzzReadRequest(f *testing.F) {
	for _, body := range storedBodies() {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		got, err := ReadRequest(stored)
		want, wantErr := decoded(stored)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Request{}), cmp.Comparer(sameText)); diff != "" {
			t.Errorf("(-json.Unmarshal +got)\n%s", diff)
		}
	})
}

// decoded is a stored body by the decoder alone.
func decoded(stored string) (Request, error) {
	var r SessionRequest
	if err := json.Unmarshal([]byte(stored), &r); err != nil {
		return Request{}, err
	}
	body, err := r.encode()
	return Request{r.Amount, r.Currency, r.CustomerID, r.MerchantReferenceID, r.UIMode, string(body), err}, nil
}

func sameText(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// storedBodies are one with every member, and whatever else could be read in two ways.
func storedBodies() []string {
	yes := true
	all := SessionRequest{
		Amount: "19.90", Currency: "USD", CustomerID: "cus_1", CustomerEmail: "a@b.c", ReferenceCustomerID: "ref_1",
		MerchantReferenceID: "INV-1", ProductID: "prd_1", PriceID: "prc_1",
		PriceData: []PriceData{{"Tea & \"cake\"", 2, "9.95", "USD", "https://x/t.png"}, {Name: "茶", UnitAmount: "0.05"}},
		UIMode:    "elements", ReturnURL: "https://x/r", SuccessURL: "https://x/s?a=1&b=2", CancelURL: "https://x/c",
		PaymentMethodType: "CASHAPP", PaymentMethodTypeBlackList: []string{"PIX", ""},
		DirectPaymentQrCodePaymentMethodType: "CASHAPP", AllowPromotionCodes: &yes, PromotionCode: "SPRING",
	}.Prepare().body
	bodies := []string{all, all + "\n", " " + all, all[:len(all)-1], all + "}", "", " ", "null", "{}", "[]", `"{}"`, "1"}
	for _, member := range []string{
		"", `,"customerId":"c"`, `,"customerId":""`, `,"customerId":null`, `,"customerId":5`, `,"customerId":"a","customerId":"b"`,
		`,"merchantReferenceId":"b","customerId":"a"`, `,"customerid":"c"`, `,"CUSTOMERID":7`, `,"cu\u0073tomerId":"c"`, `,"new":[1]`, `,"new":`,
		`, "customerId":"c"`, `,"customerId": "c"`, `,"customerId":"c" `, `,"customerId":"c`, `,"customerId":"c\"`, `,"customerId":c"`,
		`,"customerId":"a\u0026b"`, `,"customerId":"a&b"`, `,"customerId":"a\u003Cb"`, `,"customerId":"<"`, `,"customerId":">"`, `,"customerId":"a\/b"`,
		`,"customerId":"a\u0061"`, `,"customerId":"\b\f\n\r\t\\\""`, `,"customerId":"\u0008"`, `,"customerId":"\u0001"`, `,"customerId":"\u00e9"`,
		",\"customerId\":\"\x7f\"", ",\"customerId\":\"\t\"", ",\"customerId\":\"\xff\"", `,"customerId":"\ufffd"`, `,"customerId":"` + "\ufffd" + `"`,
		`,"customerId":"é"`, `,"customerId":"\u2028"`, `,"customerId":"` + "\u2028" + `"`, `,"customerId":"\ud83d"`, `,"customerId":"😀"`, `,"customerId":"\x"`,
		`,"customerId":["]"]`, `,"customerId":[":"`, `,"customerId":"\u00e9","customerId":"x"`,
		`,"priceDataList":[]`, `,"priceDataList":null`, `,"priceDataList":[{}]`, `,"priceDataList":[null]`, `,"priceDataList":{}`,
		`,"priceDataList":[{"name":"","unitAmount":1}]`, `,"priceDataList":[{"name":"n","unitAmount":1},]`, `,"priceDataList":[{"name":"n","unitAmount":1}`,
		`,"priceDataList":[{"name":"n","unitAmount":1}{"name":"n","unitAmount":1}]`, `,"priceDataList":[{"unitAmount":1,"name":"n"}]`,
		`,"priceDataList":[{"name":"n","unitAmount":""}]`, `,"priceDataList":[{"name":"n","unitAmount":"1"}]`, `,"priceDataList":[{"name":"n"}]`,
		`,"priceDataList":[{"name":"n","quantity":0,"unitAmount":1}]`, `,"priceDataList":[{"name":"n","quantity":-1,"unitAmount":1}]`,
		`,"priceDataList":[{"name":"n","quantity":01,"unitAmount":1}]`, `,"priceDataList":[{"name":"n","quantity":1.5,"unitAmount":1}]`,
		`,"priceDataList":[{"name":"n","quantity":9223372036854775807,"unitAmount":1}]`,
		`,"priceDataList":[{"name":"n","quantity":9223372036854775808,"unitAmount":1}]`,
		`,"priceDataList":[{"name":"n","quantity":999999999999999999,"unitAmount":1}]`, `,"priceDataList":[{"name":"n","quantity":,"unitAmount":1}]`,
		`,"paymentMethodTypeBlackList":[]`, `,"paymentMethodTypeBlackList":[""]`, `,"paymentMethodTypeBlackList":["a",1]`, `,"paymentMethodTypeBlackList":["a",]`,
		`,"paymentMethodTypeBlackList":null`, `,"allowPromotionCodes":false`, `,"allowPromotionCodes":null`, `,"allowPromotionCodes":"true"`,
		`,"allowPromotionCodes":truefalse`, `,"allowPromotionCodes":tru`, `,"uiMode":"elements"`, `,"uiMode":"elements","customerId":"c"`,
	} {
		bodies = append(bodies, `{"originalAmount":1.50,"originalCurrency":"USD"`+member+`}`)
	}
	for _, amount := range []string{`"1.50"`, `""`, `"ten"`, "null", "01", "1.", "-1", "-0", "+1", "1e5", "1E+400", "1e123456789012345678", "", "1.5.2", "[1]", "true", "{}"} {
		bodies = append(bodies, `{"originalAmount":`+amount+`,"originalCurrency":"USD"}`)
	}
	return append(bodies, `{"originalAmount":1}`, `{"originalCurrency":"USD"}`, `{"originalAmount":1,"originalCurrency":""}`, `{"originalAmount":1,"originalCurrency":7}`)
}

// Whatever we have written is read in one pass, which names the members a second time: a new one in [SessionRequest] must
// come in [readWritten], too.
func TestWhatWeHaveWrittenIsReadInOnePass(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		var asked SessionRequest
		fill(random, reflect.ValueOf(&asked).Elem())
		prepared := asked.Prepare()
		read, ok := readWritten(prepared.body)
		if !ok {
			t.Fatalf("not read: %s", prepared.body)
		}
		if read != prepared {
			t.Fatalf("read %#v, want %#v", read, prepared)
		}
	}
}

// fill sets an amount always, and anything else in half of the cases.
func fill(random *rand.Rand, v reflect.Value) {
	switch some := random.IntN(2) == 0; {
	case v.Type() == reflect.TypeFor[json.Number]():
		v.SetString([]string{"0", "1", "19.90", "-1.5e+3", "90071992547409.931"}[random.IntN(5)])
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(random, v.Field(i))
		}
	case !some:
	case v.Kind() == reflect.String:
		v.SetString(strings.Repeat([]string{"plain ", "\"\\/", "<&>", "\x00\x1f\x7f\n", "é\u2028😀\ufffd"}[random.IntN(5)], random.IntN(3)))
	case v.Kind() == reflect.Int64:
		v.SetInt(random.Int64N(1e18))
	case v.Kind() == reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(random, v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	default:
		panic("no value for a " + v.Type().String())
	}
}
