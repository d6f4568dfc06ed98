package invoice

import (
	"fmt"
	"strings"
)

// clinkCustomer begins each id of a customer that Clink gives.
const clinkCustomer = "cus_"

// foreignID is the column that was taken as Clink's id of the customer for a name that other programs give to ids of their own. Sent to
// Clink, one of those could be another customer: all its values must look like Clink's.
type foreignID struct {
	watched bool
	column  int
	line    int // the first of another kind; 0 is none so far
	cell    string
}

// watchCustomerID makes the reader look at the customer ids, unless the column has exactly the name or is mapped.
func (h *head) watchCustomerID(o Options) {
	at, taken := h.taken["customer_id"]
	_, mapped := o.Map["customer_id"]
	h.foreignID = foreignID{watched: taken && !mapped && h.Columns[at] != "customer_id", column: at}
}

// lookAtCustomerID remembers the first id that is not one of Clink's.
func (r *Reader) lookAtCustomerID(row *Row) {
	id := &r.head.foreignID
	if !id.watched || id.line != 0 {
		return
	}
	if cell := row.Cells[id.column]; !isBlank(cell) && !isNothing(cell) && !strings.HasPrefix(cell, clinkCustomer) {
		id.line, id.cell = row.Line, cell
	}
}

// foreignCustomerIDs refuses the file where the column has an id of another kind.
func (r *Reader) foreignCustomerIDs() Problems {
	id := r.head.foreignID
	if id.line == 0 {
		return nil
	}
	header := r.head.Columns[id.column]
	what := fmt.Sprintf("may be Clink's id of the customer or one of your own: line %d has %s, and Clink's begin with %s", id.line, quote(id.cell), clinkCustomer)
	return Problems{flaw(CustomerIDUnsure, what, "",
		Option{Do: Add, Setting: "map", Column: "reference_customer_id", Value: header, When: "these are your own ids"},
		Option{Do: Add, Setting: "map", Column: "customer_id", Value: header, When: "Clink gave them"},
		Option{Do: Add, Setting: "ignore", Value: header, When: "Clink is not to get them"}).at(r.file, r.head.line, header, "")}
}
