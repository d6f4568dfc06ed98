package invoice

// Kind is a short stable word for what is wrong, to count and to test by. Its words never change their meaning.
type Kind string

// The file as a whole, or from some line on. Nothing in such a file is sent, whatever the flags.
const (
	FileEmpty          Kind = "file-empty"          // no text at all
	FileForeign        Kind = "file-foreign"        // a workbook, PDF, web page, …: not delimited text
	FileFolder         Kind = "file-folder"         // a folder
	NoHeader           Kind = "no-header"           // the first row is already an invoice
	NoRows             Kind = "no-rows"             // a header and nothing below it
	ColumnMissing      Kind = "column-missing"      // a required column
	ColumnTwice        Kind = "column-twice"        // one header twice, or two for a column that is read
	ColumnsTooMany     Kind = "columns-too-many"    // more than a spreadsheet can have
	MapUnknownName     Kind = "map-unknown-name"    // --map names no column of ours
	MapUnknownHeader   Kind = "map-unknown-header"  // --map names no header of the file
	MapTwice           Kind = "map-twice"           // one header mapped to two columns
	DefaultUnknown     Kind = "default-unknown"     // a job-wide value for no column of ours
	DelimiterAmbiguous Kind = "delimiter-ambiguous" // the header reads as well with another delimiter
	DelimiterMissing   Kind = "delimiter-missing"   // the header has a single column
	EncodingUnknown    Kind = "encoding-unknown"    // --encoding names none we have
	EncodingConflict   Kind = "encoding-conflict"   // --encoding contradicts the file's own mark
	EncodingInvalid    Kind = "encoding-invalid"    // bytes that are no text in this encoding
	NULByte            Kind = "nul-byte"            // binary data
	LineTooLong        Kind = "line-too-long"       // over 1 MiB
	QuoteUnclosed      Kind = "quote-unclosed"      // a cell that never ends
	QuoteStray         Kind = "quote-stray"         // a double quote where none can be
	QuoteSingle        Kind = "quote-single"        // single quotes around the cells
)

// A row.
const (
	CellsTooMany Kind = "cells-too-many" // more than the header has
	CellsTooFew  Kind = "cells-too-few"  // fewer than the header has
	CellTooLong  Kind = "cell-too-long"  // over 64 KiB

	IDRepeated  Kind = "id-repeated"  // the invoice_id stands on an earlier line
	RowRepeated Kind = "row-repeated" // no invoice_id, and alike in everything with an earlier line

	AmountMissing       Kind = "amount-missing"
	AmountZero          Kind = "amount-zero"
	AmountNegative      Kind = "amount-negative"       // a minus sign or brackets
	AmountPlus          Kind = "amount-plus"           // a plus sign
	AmountMinusSign     Kind = "amount-minus-sign"     // a dash or a typographic minus
	AmountSpace         Kind = "amount-space"          // a space of any kind
	AmountCurrency      Kind = "amount-currency"       // a currency's symbol or code
	AmountExponent      Kind = "amount-exponent"       // 1e3
	AmountNotANumber    Kind = "amount-not-a-number"   // anything else
	AmountDigits        Kind = "amount-digits"         // digits of another script
	AmountGrouping      Kind = "amount-grouping"       // thousands separators out of place
	AmountAmbiguous     Kind = "amount-ambiguous"      // 1,234
	AmountDecimalComma  Kind = "amount-decimal-comma"  // 12,50 under --decimal point
	AmountDecimalPoint  Kind = "amount-decimal-point"  // 12.50 under --decimal comma
	AmountLeadingPoint  Kind = "amount-leading-point"  // .5
	AmountTrailingPoint Kind = "amount-trailing-point" // 5.
	AmountLeadingZero   Kind = "amount-leading-zero"   // 007
	AmountDecimals      Kind = "amount-decimals"       // more than the currency has
	AmountTooLarge      Kind = "amount-too-large"      // more than 14 digits before the point

	CurrencyMissing    Kind = "currency-missing"
	CurrencyUnknown    Kind = "currency-unknown"
	CurrencyWithdrawn  Kind = "currency-withdrawn"   // no longer money
	CurrencyNotPayable Kind = "currency-not-payable" // metals, funds, accounting units

	CustomerMissing  Kind = "customer-missing"
	SpaceAtEnd       Kind = "space-at-end"        // a space before or after the value
	Invisible        Kind = "invisible-character" // a character nobody can see
	DamagedText      Kind = "damaged-text"        // the replacement character: the file was damaged earlier
	SpreadsheetError Kind = "spreadsheet-error"   // #N/A and its like
	IDDamaged        Kind = "id-damaged"          // 4.687E+11
	Formula          Kind = "formula"             // a spreadsheet would run it
	EmailInvalid     Kind = "email-invalid"
	URLInvalid       Kind = "url-invalid"
	ChoiceUnknown    Kind = "choice-unknown" // none of the words that the column takes

	QuantityInvalid     Kind = "quantity-invalid"
	QuantityMismatch    Kind = "quantity-mismatch"     // quantity × unit_amount is not the amount
	UnitAmountMissing   Kind = "unit-amount-missing"   // a quantity above 1 alone
	ProductIncomplete   Kind = "product-incomplete"    // product_id or price_id alone
	ProductAndItem      Kind = "product-and-item"      // a registered product and a quantity, unit amount or image
	ReturnURLMissing    Kind = "return-url-missing"    // ui_mode elements without return_url
	QRCodeMismatch      Kind = "qr-code-mismatch"      // direct QR code without payment_method_type CASHAPP
	MethodExcluded      Kind = "method-excluded"       // the method asked for is on the row's own black list
	PromotionNotAllowed Kind = "promotion-not-allowed" // promotion_code without allow_promotion_codes
)
