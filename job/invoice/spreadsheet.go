package invoice

import "strings"

// spreadsheetErrors are what spreadsheets write where a formula has failed, in English, German, French, Spanish, Dutch and Japanese.
var spreadsheetErrors = func() map[string]bool {
	errors := map[string]bool{}
	for word := range strings.FieldsSeq(`
		#N/A #REF! #VALUE! #NAME? #DIV/0! #NUM! #NULL! #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #UNKNOWN! #EXTERNAL! #BUSY! #PYTHON!
		#TIMEOUT! #ERROR! #GETTING_DATA
		#NV #BEZUG! #WERT! #ZAHL! #ÜBERLAUF! #KALK!
		#VALEUR! #NOM? #NOMBRE! #NUL! #PROPAGATION! #EPARS!
		#N/D #¡REF! #¡VALOR! #¿NOMBRE? #¡DIV/0! #¡NUM! #¡NULO! #¡DESBORDAMIENTO! #¡CALC!
		#N/B #VERW! #WAARDE! #NAAM? #DEEL/0! #GETAL! #LEEG! #OVERLOOP! #BEREKENEN!
		#スピル!`) {
		errors[word] = true
	}
	return errors
}()

// checkSpreadsheetError refuses an error of a spreadsheet, LibreOffice's Err:502 and the like, and #### for a column that was too narrow.
func checkSpreadsheetError(cell string) *Problem {
	if strings.HasPrefix(cell, notCorrected) {
		return flaw(NotCorrected, "was refused in a workbook, and was not corrected since", "write what is right in its place, without "+notCorrected)
	}
	narrow := len(cell) > 1 && strings.Trim(cell, "#") == ""
	number, office := strings.CutPrefix(cell, "Err:")
	if narrow || cell[0] == '#' && spreadsheetErrors[cell] || office && len(number) == 3 && strings.Trim(number, "0123456789") == "" {
		return flaw(SpreadsheetError, "is an error message of a spreadsheet", "correct the formula in the spreadsheet, or widen its column, and save again")
	}
	return nil
}
