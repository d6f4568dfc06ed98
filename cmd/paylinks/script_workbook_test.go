package main

import (
	"os"

	"github.com/rogpeppe/go-internal/testscript"

	"paylinks/job/invoice/xlsx/xlsxtest"
)

// workbookCommands are the commands of the scripts that write workbooks.
//
//	workbook FILE DRAWING   write the workbook that is drawn there; see xlsxtest.Draw
var workbookCommands = map[string]func(*testscript.TestScript, bool, []string){
	"workbook": scriptWorkbook,
}

func scriptWorkbook(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: workbook FILE DRAWING")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), xlsxtest.Draw(ts.ReadFile(args[1])).Bytes(), 0o600))
}
