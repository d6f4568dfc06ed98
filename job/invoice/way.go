package invoice

// Way is a way to write a cell that is read, though it is not plain. It is said, so that nobody wonders what became of the cell.
type Way string

// The ways to write an amount, and one to write nothing.
const (
	Padded       Way = "padded"        // spaces around the amount
	Spaces       Way = "spaces"        // spaces between groups: 1 234.50
	Apostrophes  Way = "apostrophes"   // apostrophes between groups: 1'234.50
	IndianGroups Way = "indian-groups" // 12,34,567.00
	Zeros        Way = "zeros"         // zeros beyond the decimals of the currency: 1250.0000
	NoCents      Way = "no-cents"      // a dash in place of the cents: 1234.-
	CurrencySign Way = "currency-sign" // a sign or the code of the row's currency: $5.00
	Nothing      Way = "nothing"       // a word for nothing, read as an empty cell: NULL
)

// ways are all of them, in the order in which they are told.
var ways = []Way{Padded, Spaces, Apostrophes, IndianGroups, Zeros, NoCents, CurrencySign, Nothing}

// Reading says how many cells were read in a way, and gives the first of them.
type Reading struct {
	Way    Way
	Cells  int
	Line   int
	Column string // the header
	Cell   string
	As     string // what was read
}

// readings counts the cells of a file that were read in a way of their own.
type readings map[Way]*Reading

// add counts the cells of a row.
func (rs readings) add(row *Row) {
	for _, reading := range row.readings {
		if rs[reading.Way] == nil {
			first := reading
			first.Line = row.Line
			rs[reading.Way] = &first
		}
		rs[reading.Way].Cells++
	}
}

// list is all of them in the order of ways.
func (rs readings) list() (list []Reading) {
	for _, way := range ways {
		if reading := rs[way]; reading != nil {
			list = append(list, *reading)
		}
	}
	return list
}
