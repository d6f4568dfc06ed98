package invoice

import "slices"

// ProgramHeader is a header by which a known program, or the accounting of a language, names one of our columns.
type ProgramHeader struct {
	Column   string // the canonical name
	Header   string
	Language string
	Program  string // "" is a general word of accounting, for which no page of a program was found
	Source   string // where the header was found; "" is a general word
	Beside   bool   // of amount: never taken for it by itself, but another that differs is refused: what is open may be the right one
}

// The pages on which the headers stand.
const (
	odooTerms     = "Odoo's translations, addons/account/i18n of github.com/odoo/odoo"
	xeroTemplate  = "Xero templates, docs.milientsoftware.com/help/moment-by-topic/integrations/file-exports/file-export-accounting-system/xero/xero-templates"
	zohoFields    = "Zoho Books: Invoices, docs.cashflowy.io/library/jobs/zoho_books/fetch_invoices"
	quickbooks    = "Invoice import, quickbooks.intuit.com/learn-support/en-ca/sales-and-invoicing/do-we-need-to-map-field-everytime-when-import-invoices"
	quickbooksAPI = "Import invoices into QuickBooks Online, support.zed-systems.com/kb/a197/import-invoices-into-quickbooks-online.aspx"
	quickbooksPro = "QuickBooks field labels of invoices, importer.transactionpro.com/TpiPlus/Importer/Docs/Import/Invoice.aspx"
	shopifyExport = "header of Shopify's order export, as public test files of programs that read it have it"
	shopifyFormat = "Shopify order export format, docs.xbp.app/docs/development/integrations/shopify/order-format"
	stripeFields  = "Stripe: Invoice Details, endash-guidance-docs.gitbook.io/cigro-data-templates/data-model-templates/stripe-invoice-details"
	waveFields    = "Wave: New invoice, ifttt.com/wave/triggers/new_invoice"
	squareFields  = "Square: Invoices, cdn.cdata.com/help/CRK/xls/pg_v2table-invoices.htm"
	freshbooks    = "header of FreshBooks' invoice details, as public test files of programs that read it have it"
	sageFields    = "Sage 50 invoice fields, scribd.com/document/711712896/Line50ii-fields"
	myobFields    = "MYOB Accounting Plus help, Sales fields"
	accountEdge   = "AccountEdge: Sales Fields, help.accountedge.com/ne05/mac/impexptables-18.htm"
	quaderno      = "Quaderno: Exporting invoices, support.quaderno.io/article/568-exporting-invoices"
	datevFormat   = "DATEV Buchungsstapel, developer.datev.de/datev/platform/de/dtvf/formate/buchungsstapel"
	datevColumns  = "Exportspalten im Überblick, convert2fibu.com/hilfecenter/exportspalten-im-ueberblick-buchungsstapel"
	hyreka        = "Finanzdaten exportieren, hyreka.de/hilfe/finanzdaten-export.php"
	cgmMaxx       = "CGM MAXX: Rechnungsliste exportieren, update.compugroup.at/webhelp/cgm-maxx/1819437019.html"
	bizyness      = "Format pour importer des recettes, support.bizyness.fr/fr/articles/8399295"
	holded        = "Importar ventas, academy.holded.com/hc/es/articles/360022438852"
	holdedExpense = "Importar tickets de gastos, help.holded.com/es/articles/7903215-importar-tus-tickets-de-gasto"
	cegid         = "Informe de facturas, help.cegidgestiona3w.cegid.com/portal/es/kb/articles/informe-de-facturas"
	exactNumbers  = "Welke nummers zetten jullie door naar Exact Online, faq.webwinkelfacturen.nl/content/19/196"
	freeeFields   = "転送元 - freee請求書, github.com/trocco-io/trocco-docs-md, trocco/data-source-freee-invoice.md"
	coupaFrench   = "IC Recon - Exportation de facture - Format CSV, compass.coupa.com/fr-fr/products/product-documentation"
	coupaJapanese = "IC Recon - 請求書のエクスポート - CSV形式, compass.coupa.com/ja-jp/products/product-documentation"
	bundleExport  = "請求情報をCSVエクスポートする, help.bundle.jp/hc/ja/articles/46842996961817"
)

// programHeaderList is all of them. Left out is what could bill a wrong amount: every net amount (Netto, Montant HT, Base imponible,
// 小計), amounts of single lines (Line Total, LineAmount), Quaderno's gross_amount, which is before taxes, its total_amount, which is in
// another currency, DATEV's Umsatz, of which another column says whether it is a credit, and what Stripe and Square count in cents.
// Number alone, which is Odoo's and Quaderno's for the invoice, is anything's elsewhere: it has to be mapped.
var programHeaderList = []ProgramHeader{
	{"amount", "InvoiceAmountDue", "English", "Xero", xeroTemplate, false},
	{"amount", "Amount Due", "English", "Odoo", odooTerms, false},
	{"amount", "Amount due", "English", "Wave", waveFields, false},
	{"amount", "original_amount", "English", "Quaderno", quaderno, false},
	{"amount", "amount_including_tax", "English", "freee", freeeFields, false},
	{"amount", "Total due", "English", "", "", false},
	{"amount", "Amount payable", "English", "", "", false},
	{"amount", "Invoice total", "English", "", "", false},
	{"amount", "Invoice amount", "English", "", "", false},
	{"amount", "Grand total", "English", "", "", false},
	{"amount", "Total", "English", "Xero", xeroTemplate, false},
	{"amount", "total", "English", "Zoho Books", zohoFields, false},
	{"amount", "Total", "English", "Shopify", shopifyExport, false},
	{"amount", "Total", "English", "Wave", waveFields, false},
	{"amount", "Total incl. tax", "English", "", "", false},
	{"amount", "Total incl. VAT", "English", "", "", false},
	{"amount", "balance", "English", "Zoho Books", zohoFields, true},
	{"amount", "Outstanding Balance", "English", "Shopify", shopifyExport, true},
	{"amount", "Amount remaining", "English", "", "", true},
	{"amount", "Amount outstanding", "English", "", "", true},
	{"amount", "Unpaid amount", "English", "", "", true},

	{"amount", "Fälliger Betrag", "German", "Odoo", odooTerms, false},
	{"amount", "Rechnungsbetrag", "German", "", "", false},
	{"amount", "Rechnungsbetrag Brutto", "German", "CGM MAXX", cgmMaxx, false},
	{"amount", "Gesamtbetrag", "German", "", "", false},
	{"amount", "Gesamtsumme", "German", "", "", false},
	{"amount", "Rechnungssumme", "German", "", "", false},
	{"amount", "Endbetrag", "German", "", "", false},
	{"amount", "Zahlbetrag", "German", "", "", false},
	{"amount", "Bruttobetrag", "German", "", "", false},
	{"amount", "Brutto", "German", "", "", false},
	{"amount", "Betrag", "German", "Hyreka", hyreka, false},
	{"amount", "Offener Betrag", "German", "", "", true},
	{"amount", "Offen", "German", "", "", true},
	{"amount", "Restbetrag", "German", "", "", true},
	{"amount", "Saldo", "German", "Odoo", odooTerms, true},

	{"amount", "Montant dû", "French", "Odoo", odooTerms, false},
	{"amount", "Net à payer", "French", "", "", false},
	{"amount", "Montant à payer", "French", "", "", false},
	{"amount", "Montant TTC", "French", "", "", false},
	{"amount", "Total TTC", "French", "", "", false},
	{"amount", "Montant total", "French", "", "", false},
	{"amount", "Montant", "French", "Odoo", odooTerms, false},
	{"amount", "Montant", "French", "Coupa Treasury", coupaFrench, false},
	{"amount", "Reste à payer", "French", "", "", true},
	{"amount", "Restant dû", "French", "", "", true},
	{"amount", "Solde", "French", "", "", true},
	{"amount", "Solde dû", "French", "", "", true},

	{"amount", "Importe adeudado", "Spanish", "Odoo", odooTerms, false},
	{"amount", "Total a pagar", "Spanish", "", "", false},
	{"amount", "Importe de la factura", "Spanish", "Cegid Gestiona3W", cegid, false},
	{"amount", "Total factura", "Spanish", "", "", false},
	{"amount", "Importe total", "Spanish", "", "", false},
	{"amount", "Importe", "Spanish", "Odoo", odooTerms, false},
	{"amount", "Importe pendiente", "Spanish", "", "", true},
	{"amount", "Pendiente de cobro", "Spanish", "", "", true},
	{"amount", "Pendiente", "Spanish", "", "", true},

	{"amount", "Verschuldigd bedrag", "Dutch", "Odoo", odooTerms, false},
	{"amount", "Te betalen", "Dutch", "", "", false},
	{"amount", "Factuurbedrag", "Dutch", "", "", false},
	{"amount", "Totaal incl. btw", "Dutch", "", "", false},
	{"amount", "Bedrag incl. btw", "Dutch", "", "", false},
	{"amount", "Totaalbedrag", "Dutch", "", "", false},
	{"amount", "Totaal", "Dutch", "", "", false},
	{"amount", "Bedrag", "Dutch", "Odoo", odooTerms, false},
	{"amount", "Openstaand bedrag", "Dutch", "Odoo", odooTerms, true},
	{"amount", "Openstaand", "Dutch", "", "", true},

	{"amount", "未消込額", "Japanese", "Odoo", odooTerms, false},
	{"amount", "請求額", "Japanese", "Bundle", bundleExport, false},
	{"amount", "請求金額", "Japanese", "", "", false},
	{"amount", "ご請求金額", "Japanese", "", "", false},
	{"amount", "税込金額", "Japanese", "", "", false},
	{"amount", "税込合計", "Japanese", "", "", false},
	{"amount", "合計金額", "Japanese", "", "", false},
	{"amount", "合計", "Japanese", "", "", false},
	{"amount", "金額", "Japanese", "Odoo", odooTerms, false},
	{"amount", "金額", "Japanese", "Coupa Treasury", coupaJapanese, false},
	{"amount", "請求残高", "Japanese", "", "", true},
	{"amount", "未入金額", "Japanese", "", "", true},
	{"amount", "残高", "Japanese", "", "", true},

	{"currency", "Currency", "English", "Xero", xeroTemplate, false},
	{"currency", "Currency", "English", "FreshBooks", freshbooks, false},
	{"currency", "Currency", "English", "Shopify", shopifyExport, false},
	{"currency", "Currency", "English", "Wave", waveFields, false},
	{"currency", "currency", "English", "Stripe", stripeFields, false},
	{"currency", "original_currency", "English", "Quaderno", quaderno, false},
	{"currency", "currency_code", "English", "Zoho Books", zohoFields, false},
	{"currency", "Währung", "German", "Hyreka", hyreka, false},
	{"currency", "WKZ Umsatz", "German", "DATEV", datevFormat, false},
	{"currency", "Waehrung", "German", "", "", false},
	{"currency", "Währungscode", "German", "", "", false},
	{"currency", "Devise", "French", "Bizyness", bizyness, false},
	{"currency", "Devise", "French", "Coupa Treasury", coupaFrench, false},
	{"currency", "Code devise", "French", "", "", false},
	{"currency", "Moneda", "Spanish", "", "", false},
	{"currency", "Divisa", "Spanish", "", "", false},
	{"currency", "Valuta", "Dutch", "", "", false},
	{"currency", "Munteenheid", "Dutch", "", "", false},
	{"currency", "通貨", "Japanese", "Coupa Treasury", coupaJapanese, false},
	{"currency", "通貨コード", "Japanese", "", "", false},

	{"customer_email", "EmailAddress", "English", "Xero", xeroTemplate, false},
	{"customer_email", "Email", "English", "Shopify", shopifyFormat, false},
	{"customer_email", "PrimaryRecipientEmail", "English", "Square", squareFields, false},
	{"customer_email", "CUST_EMAIL", "English", "Sage 50", sageFields, false},
	{"customer_email", "Client email", "English", "", "", false},
	{"customer_email", "Billing email", "English", "", "", false},
	{"customer_email", "E-Mail-Adresse", "German", "", "", false},
	{"customer_email", "Kunden-E-Mail", "German", "", "", false},
	{"customer_email", "Email", "French", "Bizyness", bizyness, false},
	{"customer_email", "Courriel", "French", "", "", false},
	{"customer_email", "Adresse e-mail", "French", "", "", false},
	{"customer_email", "Correo electrónico", "Spanish", "", "", false},
	{"customer_email", "Correo", "Spanish", "", "", false},
	{"customer_email", "E-mailadres", "Dutch", "", "", false},
	{"customer_email", "メールアドレス", "Japanese", "", "", false},

	{"invoice_id", "InvoiceNumber", "English", "Xero", xeroTemplate, false},
	{"invoice_id", "Invoice number", "English", "QuickBooks Online", quickbooks, false},
	{"invoice_id", "invoice_number", "English", "Zoho Books", zohoFields, false},
	{"invoice_id", "invoice_number", "English", "Stripe", stripeFields, false},
	{"invoice_id", "Invoice number", "English", "Wave", waveFields, false},
	{"invoice_id", "Invoice #", "English", "QuickBooks", quickbooksPro, false},
	{"invoice_id", "Invoice #", "English", "FreshBooks", freshbooks, false},
	{"invoice_id", "Invoice #", "English", "AccountEdge", accountEdge, false},
	{"invoice_id", "Invoice No.", "English", "MYOB", myobFields, false},
	{"invoice_id", "DocNumber", "English", "QuickBooks Online", quickbooksAPI, false},
	{"invoice_id", "Rechnungsnummer", "German", "CGM MAXX", cgmMaxx, false},
	{"invoice_id", "Rechnungs-Nr.", "German", "Hyreka", hyreka, false},
	{"invoice_id", "Belegfeld 1", "German", "DATEV", datevColumns, false},
	{"invoice_id", "Rechnungsnr", "German", "", "", false},
	{"invoice_id", "Rechnung Nr.", "German", "", "", false},
	{"invoice_id", "Reference facture", "French", "Bizyness", bizyness, false},
	{"invoice_id", "Numéro de facture", "French", "Coupa Treasury", coupaFrench, false},
	{"invoice_id", "N° de facture", "French", "", "", false},
	{"invoice_id", "N° facture", "French", "", "", false},
	{"invoice_id", "Num factura", "Spanish", "Holded", holded, false},
	{"invoice_id", "Núm. factura", "Spanish", "Holded", holdedExpense, false},
	{"invoice_id", "Número de factura", "Spanish", "Cegid Gestiona3W", cegid, false},
	{"invoice_id", "Nº de factura", "Spanish", "", "", false},
	{"invoice_id", "Nº factura", "Spanish", "", "", false},
	{"invoice_id", "Factuurnummer", "Dutch", "Exact Online", exactNumbers, false},
	{"invoice_id", "Factuurnr.", "Dutch", "", "", false},
	{"invoice_id", "請求書番号", "Japanese", "Coupa Treasury", coupaJapanese, false},
	{"invoice_id", "請求番号", "Japanese", "", "", false},
}

// ProgramHeaders are the headers of known programs, and general words of accounting, in the order in which they are tried.
func ProgramHeaders() []ProgramHeader { return slices.Clone(programHeaderList) }

// KnownHeader finds what is known of a header that was taken for the column and is none of our own names for it.
func KnownHeader(column, header string) (known ProgramHeader, found bool) {
	if slices.ContainsFunc(columnNamed(column).names(), func(name string) bool { return normalise(name) == normalise(header) }) {
		return known, false
	}
	for _, known := range programHeaderList {
		if known.Column == column && normalise(known.Header) == normalise(header) {
			return known, true
		}
	}
	return known, false
}

// programHeaders are those of a column, or those that could be the amount only beside another.
func programHeaders(column string, beside bool) (headers []string) {
	for _, known := range programHeaderList {
		if known.Column == column && known.Beside == beside {
			headers = append(headers, known.Header)
		}
	}
	return headers
}
