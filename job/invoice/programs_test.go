package invoice

import (
	"slices"
	"strings"
	"testing"
)

// TestProgramHeaders guards that each header of the table is taken for its column by itself, that an amount which is only one beside
// another is not, and that whoever reads the table can look a header up.
func TestProgramHeaders(t *testing.T) {
	own := map[string]string{"amount": "amount", "currency": "currency", "customer_email": "email", "invoice_id": "invoice_id"}
	languages := map[string]bool{}
	for _, known := range ProgramHeaders() {
		t.Run(known.Header, func(t *testing.T) {
			languages[known.Language] = true
			if known.Program != "" && known.Source == "" || known.Program == "" && known.Source != "" {
				t.Errorf("%+v: a program without a source, or a source without a program", known)
			}
			headers := []string{}
			for column, header := range own {
				if column != known.Column {
					headers = append(headers, header)
				}
			}
			slices.Sort(headers)
			r, err := Open(write(t, strings.Join(append(headers, known.Header), ",")+"\n"), Options{})
			if known.Beside {
				if fileKinds(err) != string(ColumnMissing) {
					t.Errorf("alone: %v, want a missing amount", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if got := r.Header().Taken[known.Column]; got != known.Header {
				t.Errorf("%s is taken from %q", known.Column, got)
			}
			own := slices.ContainsFunc(columnNamed(known.Column).names(), func(name string) bool { return normalise(name) == normalise(known.Header) })
			if found, ok := KnownHeader(known.Column, strings.ToUpper(known.Header)); ok == own || ok && found.Language == "" {
				t.Errorf("looked up: %+v, %v", found, ok)
			}
		})
	}
	for _, language := range []string{"English", "German", "French", "Spanish", "Dutch", "Japanese"} {
		for column := range own {
			if !slices.ContainsFunc(ProgramHeaders(), func(h ProgramHeader) bool { return h.Language == language && h.Column == column && !h.Beside }) {
				t.Errorf("there is no %s header for %s", language, column)
			}
		}
	}
}

// TestAmountsOfProgramsAreRivals guards that of two amounts under any two names none is billed where they differ.
func TestAmountsOfProgramsAreRivals(t *testing.T) {
	var amounts []ProgramHeader
	for _, known := range ProgramHeaders() {
		if known.Column == "amount" {
			amounts = append(amounts, known)
		}
	}
	for i, a := range amounts {
		for _, b := range amounts[:i] {
			if a.Beside && b.Beside || normalise(a.Header) == normalise(b.Header) {
				continue
			}
			content := "email;currency;" + a.Header + ";" + b.Header + "\na@example.com;USD;120.00;100.00\n"
			r, err := newReader("in.csv", strings.NewReader(content), Options{})
			for err == nil {
				_, err = r.Next()
			}
			if fileKinds(err) != string(AmountRivals) {
				t.Fatalf("%s and %s: %v", a.Header, b.Header, err)
			}
		}
	}
}

// TestKnownPrograms guards that the header rows of exports are understood as a whole.
func TestKnownPrograms(t *testing.T) {
	for name, tt := range map[string]struct{ header, want string }{
		"Odoo, German":  {"Nummer;Währung;Fälliger Betrag;E-Mail", "amount=Fälliger Betrag currency=Währung customer_email=E-Mail"},
		"Odoo, French":  {"Numéro de facture;Devise;Montant dû;Courriel", "amount=Montant dû currency=Devise customer_email=Courriel invoice_id=Numéro de facture"},
		"Odoo, Spanish": {"Número de factura;Moneda;Importe adeudado;Correo electrónico", "amount=Importe adeudado currency=Moneda customer_email=Correo electrónico invoice_id=Número de factura"},
		"Odoo, Dutch":   {"Factuurnummer;Valuta;Verschuldigd bedrag;E-mailadres", "amount=Verschuldigd bedrag currency=Valuta customer_email=E-mailadres invoice_id=Factuurnummer"},
		"Japanese":      {"請求書番号,通貨,請求金額,メールアドレス", "amount=請求金額 currency=通貨 customer_email=メールアドレス invoice_id=請求書番号"},
		"Shopify": {"Name,Email,Financial Status,Currency,Subtotal,Shipping,Taxes,Total,Refunded Amount,Outstanding Balance",
			"amount=Total currency=Currency customer_email=Email"},
		"Zoho Books": {"Invoice Date,Invoice Number,Customer Name,Currency Code,SubTotal,Total,Balance,Primary Contact EmailID,Email",
			"amount=Total currency=Currency Code customer_email=Email invoice_id=Invoice Number"},
		"Quaderno": {"number,original_currency,original_amount,total_amount,gross_amount,net_amount,email",
			"amount=original_amount currency=original_currency customer_email=email"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Open(write(t, tt.header+"\n"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var got []string
			for column, header := range r.Header().Taken {
				got = append(got, column+"="+header)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), tt.want)
			}
		})
	}
}
