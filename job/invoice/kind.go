package invoice

// Kind is a stable code for what is wrong, to count and to test by. A code never changes its meaning.
type Kind string

// The file as a whole, or from some line on. No option lets such a file be sent.
const (
	FileEmpty           Kind = "file-empty"            // no text at all
	FileForeign         Kind = "file-foreign"          // a workbook, PDF, web page, …
	FileFolder          Kind = "file-folder"           // a folder
	FileProtected       Kind = "file-protected"        // a workbook with a password
	WorkbookDamaged     Kind = "workbook-damaged"      // cut off, or with a reference to what is not there
	WorkbookTooLarge    Kind = "workbook-too-large"    // more than fits into the memory, or packed so that it would not
	SheetUnknown        Kind = "sheet-unknown"         // the sheet asked for is not there
	SheetUnclear        Kind = "sheet-unclear"         // several sheets could be meant, or none
	RowsHidden          Kind = "rows-hidden"           // a filter or a person has hidden rows of the sheet
	NoHeader            Kind = "no-header"             // the first row is already an invoice
	HeaderUnclear       Kind = "header-unclear"        // the column names are on a lower line, and which is not certain
	HeaderLineBlank     Kind = "header-line-blank"     // nothing is on the line that is named as the header
	HeaderAgain         Kind = "header-again"          // another header, of other columns, further down
	NoRows              Kind = "no-rows"               // a header and nothing below it
	ColumnMissing       Kind = "column-missing"        // a required column
	ColumnTwice         Kind = "column-twice"          // one header twice, or two for a column that is read
	AmountRivals        Kind = "amount-rivals"         // two columns that could be the amount, and differ; or one of them is new
	ColumnsTooMany      Kind = "columns-too-many"      // more than a spreadsheet can have
	MapUnknownName      Kind = "map-unknown-name"      // an unknown column is mapped
	MapUnknownHeader    Kind = "map-unknown-header"    // mapped to a header that the file lacks
	MapTwice            Kind = "map-twice"             // one header mapped to two columns
	MapUnread           Kind = "map-unread"            // mapped is a column that is not read in a file that is read so
	LinesEqual          Kind = "lines-equal"           // the rows of each invoice have the same amount: it may be a repeated total
	CustomerIDUnsure    Kind = "customer-id-unsure"    // a customer id in another spelling, with values that Clink does not give
	IgnoreUnknownHeader Kind = "ignore-unknown-header" // to ignore is a header that the file lacks
	IgnoreMapped        Kind = "ignore-mapped"         // to ignore is a header that is mapped
	DefaultUnknown      Kind = "default-unknown"       // a value for the whole job, of an unknown column
	DelimiterAmbiguous  Kind = "delimiter-ambiguous"   // the header can be read with two delimiters
	DelimiterUnknown    Kind = "delimiter-unknown"     // the file's first line names one that is not known
	DelimiterMissing    Kind = "delimiter-missing"     // the header has a single column
	EncodingUnknown     Kind = "encoding-unknown"      // the encoding asked for is not known
	EncodingConflict    Kind = "encoding-conflict"     // the encoding asked for is not that of the byte order mark
	EncodingInvalid     Kind = "encoding-invalid"      // bytes that are invalid in the encoding
	EncodingMixed       Kind = "encoding-mixed"        // lines in UTF-8 beside lines in another encoding, or in UTF-8 where another was asked for
	NULByte             Kind = "nul-byte"              // binary data
	LineTooLong         Kind = "line-too-long"         // over 1 MiB
	QuoteUnclosed       Kind = "quote-unclosed"        // a quoted cell that does not end; a row's, where the next row can be found
	QuoteStray          Kind = "quote-stray"           // a misplaced double quote; a row's, where the next row can be found
	QuoteSingle         Kind = "quote-single"          // single quotes around the cells
)

// A row.
const (
	CellsTooMany         Kind = "cells-too-many"         // more than the header has
	CellsTooFew          Kind = "cells-too-few"          // fewer than the header has
	CellMerged           Kind = "cell-merged"            // in a merged block of a sheet
	FormulaNotCalculated Kind = "formula-not-calculated" // its value is not in the workbook, or out of date
	NotCorrected         Kind = "not-corrected"          // a cell of a rejected file that still has its mark
	ShownOtherwise       Kind = "shown-otherwise"        // a spreadsheet shows another amount or id than it keeps
	CellTooLong          Kind = "cell-too-long"          // over 64 KiB
	RowCutOff            Kind = "row-cut-off"            // the last line is short and has no line break
	RowSwallowed         Kind = "row-swallowed"          // a quoted cell holds lines that look like rows
	RowIsHeader          Kind = "row-is-header"          // the column names again
	RowIsTotal           Kind = "row-is-total"           // no invoice id, and a total by its text or its amount
	IDMissing            Kind = "id-missing"             // no invoice id, in a file where others have one
	AmountCut            Kind = "amount-cut"             // 1,234.50 without quotes: its comma divides it

	LineDiffers      Kind = "line-differs"       // customer, currency, total or way of payment is not that of its invoice's first row
	LineRefused      Kind = "line-refused"       // another row of its invoice is bad
	LinesBesideTotal Kind = "lines-beside-total" // the lines of an invoice do not add up to its total
	LinesWorthless   Kind = "lines-worthless"    // the lines of an invoice add up to nothing, or less
	LinesTooMany     Kind = "lines-too-many"     // an invoice with more lines than Clink is given
	LinesAndProduct  Kind = "lines-and-product"  // a registered product, in an invoice of several lines

	AmountMissing       Kind = "amount-missing"
	AmountPaid          Kind = "amount-paid" // another column says that some of it is paid
	AmountZero          Kind = "amount-zero"
	AmountNegative      Kind = "amount-negative"       // a minus sign or brackets
	AmountCredit        Kind = "amount-credit"         // marked CR
	AmountDebit         Kind = "amount-debit"          // marked DR
	AmountPercent       Kind = "amount-percent"        // 5%
	AmountPlus          Kind = "amount-plus"           // a plus sign
	AmountMinusSign     Kind = "amount-minus-sign"     // a dash or a typographic minus
	AmountSpace         Kind = "amount-space"          // white space that is in no number, such as a tab
	AmountCurrency      Kind = "amount-currency"       // another currency's sign or code, or other letters
	AmountExponent      Kind = "amount-exponent"       // 1e3
	AmountNotANumber    Kind = "amount-not-a-number"   // anything else
	AmountDigits        Kind = "amount-digits"         // digits of another script
	AmountGrouping      Kind = "amount-grouping"       // thousands separators out of place
	AmountAmbiguous     Kind = "amount-ambiguous"      // 1,234, or 12.340 where the currency has two decimals
	AmountDecimalComma  Kind = "amount-decimal-comma"  // 12,50 in a file read with decimal points
	AmountDecimalPoint  Kind = "amount-decimal-point"  // 12.50 in a file read with decimal commas
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
	Invisible        Kind = "invisible-character" // an invisible character
	DamagedText      Kind = "damaged-text"        // the replacement character U+FFFD
	SpreadsheetError Kind = "spreadsheet-error"   // #N/A and similar
	IDNothing        Kind = "id-nothing"          // NULL, N/A and similar, as the id of an invoice
	IDDamaged        Kind = "id-damaged"          // 4.687E+11
	Formula          Kind = "formula"             // a spreadsheet would run it as a formula
	EmailInvalid     Kind = "email-invalid"
	URLInvalid       Kind = "url-invalid"
	ChoiceUnknown    Kind = "choice-unknown" // not one of the words that the column takes

	QuantityInvalid     Kind = "quantity-invalid"
	QuantityMismatch    Kind = "quantity-mismatch"     // quantity × unit_amount is not the amount
	UnitAmountMissing   Kind = "unit-amount-missing"   // a quantity above 1 alone
	ProductIncomplete   Kind = "product-incomplete"    // product_id or price_id alone
	ProductAndItem      Kind = "product-and-item"      // a registered product and a quantity, unit amount or image
	ReturnURLMissing    Kind = "return-url-missing"    // ui_mode elements without return_url
	QRCodeMismatch      Kind = "qr-code-mismatch"      // direct QR code without payment_method_type CASHAPP
	MethodExcluded      Kind = "method-excluded"       // the row's payment method is on its black list
	PromotionNotAllowed Kind = "promotion-not-allowed" // promotion_code without allow_promotion_codes
)
