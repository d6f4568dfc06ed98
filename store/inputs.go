package store

import (
	"database/sql/driver"
	"fmt"
	"strings"
)

// inputs are rows of the table input that are about to be inserted, a group by one statement: a call into SQLite costs as
// much as a small row.
type inputs struct {
	values []driver.Value // job and id of the first row, and then of each row what inputColumns names
}

const inputGroup = 16

// inputColumns are what differs from row to row, but for the id, which goes up by one.
var inputColumns = [...]string{"row", "invoice", "invoice_id", "reference", "currency", "amount", "request", "cells"}

// insertInputs is the statement for so many rows.
func insertInputs(rows int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "INSERT INTO input (job_id, id, %s) VALUES ", strings.Join(inputColumns[:], ", "))
	for row := range rows {
		if row > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "(?1, ?2 + %d", row)
		for column := range inputColumns {
			fmt.Fprintf(&text, ", ?%d", 3+row*len(inputColumns)+column)
		}
		text.WriteString(")")
	}
	return text.String()
}

// add takes a row; its id must be that of the row before and one. What it is a part of must end with flush.
func (in *inputs) add(t *tx, jobID, id int64, columns [len(inputColumns)]driver.Value) error {
	if len(in.values) == 0 {
		in.values = append(in.values, jobID, id)
	}
	in.values = append(in.values, columns[:]...)
	if len(in.values) < 2+inputGroup*len(inputColumns) {
		return nil
	}
	err := t.stmts.insertGroup.run(in.values...)
	in.values = in.values[:0]
	return err
}

// flush inserts the rows that are too few for a group, one by one.
func (in *inputs) flush(t *tx) error {
	if len(in.values) == 0 {
		return nil
	}
	jobID, id := in.values[0], in.values[1].(int64)
	for rest := in.values[2:]; len(rest) > 0; rest = rest[len(inputColumns):] {
		if err := t.stmts.insertInput.run(append([]driver.Value{jobID, id}, rest[:len(inputColumns)]...)...); err != nil {
			return err
		}
		id++
	}
	in.values = in.values[:0]
	return nil
}
