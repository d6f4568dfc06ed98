package invoice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// placed are the rows with their lines, as "3 A" or as "3 kind" of a bad one.
func placed(rows []Row) (all []string) {
	for _, row := range rows {
		what := row.Invoice.ID
		if len(row.Problems) > 0 {
			what = kinds(row)
		}
		all = append(all, fmt.Sprintf("%d %s", row.Line, what))
	}
	return all
}

// TestMisplacedQuotes guards that a misplaced quote spoils its own row alone, wherever it is certain where the next row begins: while
// each line has as many cells as the header. A cell that has taken in such lines is refused with them.
func TestMisplacedQuotes(t *testing.T) {
	const before, after = "A,a@example.com,1,EUR,x\n", "Z,z@example.com,1,EUR,z\n"
	tests := []struct {
		name, content string
		want          []string
		end           string
	}{
		{"inches", "B,b@example.com,1,EUR,5\" pipe\nC,c@example.com,1,EUR,plate 10\"\n",
			[]string{"3 description quote-stray", "4 description quote-stray", "5 Z"}, ""},
		{"what is wrong below is told, too", "B,b@example.com,1,EUR,5\" pipe\nC,c@example.com,0,EUR,x\n",
			[]string{"3 description quote-stray", "4 amount amount-zero", "5 Z"}, ""},
		{"text after a quoted cell", "B,b@example.com,1,EUR,\"b\"b\n", []string{"3 description quote-stray", "4 Z"}, ""},
		{"quotes in quotes", "B,b@example.com,1,EUR,\"the \"big\" one, blue\"\n", []string{"3 description quote-stray", "4 Z"}, ""},
		{"never closed", "B,b@example.com,1,EUR,\"x\n", []string{"3 description quote-unclosed", "4 Z"}, ""},
		{"closed by a later one", "B,b@example.com,1,EUR,\"x\nC,c@example.com,1,EUR,c\nD,d@example.com,1,EUR,\"y\"\n",
			[]string{"3 description quote-unclosed", "4 C", "5 D", "6 Z"}, ""},
		{"in the first cell", "\"B,b@example.com,1,EUR,x\n\"C\",c@example.com,1,EUR,c\n", []string{"3 invoice_id quote-unclosed", "4 C", "5 Z"}, ""},
		{"a line below has fewer cells", "B,b@example.com,1,EUR,\"x\nC,c@example.com,1,EUR,c\nand so on\n", nil, "quote-unclosed"},
		{"the line has more cells", "B,b@example.com,1,EUR,5\" pipe, long\n", nil, "quote-stray"},
		{"a cell takes in a row", "B,b@example.com,1,EUR,\"x\nC,c@example.com,1,EUR,pipe 5\"\n", []string{"3 description row-swallowed", "5 Z"}, ""},
		{"a cell takes in rows", "B,b@example.com,1,EUR,\"x\nC,c@example.com,1,EUR,c\ny\"\n", []string{"3 description row-swallowed", "6 Z"}, ""},
		{"a cell in the middle takes in a row", "B,\"b@example.com,1,EUR,x\nC\",c@example.com,1,EUR,c\n", []string{"3 customer_email row-swallowed", "5 Z"}, ""},
		{"line breaks in a cell", "B,b@example.com,1,EUR,\"x, y\n, z\n,,,,\n\"\n", []string{"3 B", "7 Z"}, ""},
		{"line breaks in a cell before others", "\"B\",b@example.com,1,\"EUR\",\"x\ny, z, \"\"a\"\", b\"\n", []string{"3 B", "5 Z"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, rows, err := readAll(t, write(t, plainHeader+before+tt.content+after), Options{})
			want := append([]string{"2 A"}, tt.want...)
			if got := placed(rows); !slices.Equal(got, want) || fileKinds(err) != tt.end {
				t.Errorf("read %q and then %s, want %q and %s", got, fileKinds(err), want, tt.end)
			}
		})
	}
}

// TestMisquotedCells guards that a row with misplaced quotes keeps its cells, so that it can be corrected in the rejected file.
func TestMisquotedCells(t *testing.T) {
	for line, want := range map[string]string{
		`B,b@example.com,1,EUR,3/4" x 2" tee`:           `B|b@example.com|1|EUR|3/4" x 2" tee`,
		`"B",b@example.com,1,EUR,"the "big" one, blue"`: `B|b@example.com|1|EUR|the "big" one, blue`,
		`B,b@example.com,1,EUR,"b"b`:                    `B|b@example.com|1|EUR|"b"b`,
	} {
		_, rows, err := readAll(t, write(t, plainHeader+line+"\n"), Options{})
		if err != nil || len(rows) != 1 || strings.Join(rows[0].Cells, "|") != want || len(rows[0].Problems) == 0 {
			t.Errorf("%s: %+v, %v; want %s", line, rows, err, want)
		}
	}
}

// TestWithoutQuotes guards that quotes are text where a file is said to have none that mean anything; and that a file of ours is
// always written with them.
func TestWithoutQuotes(t *testing.T) {
	content := strings.ReplaceAll(plainHeader, ",", "\t") + "1\ta@example.com\t1\tEUR\t5\" pipe\n2\ta@example.com\t1\tEUR\t\"tee\n3\ta@example.com\t1\tEUR\t\"a\"\n"
	_, rows, err := readAll(t, write(t, content), Options{NoQuotes: true})
	if got := placed(rows); err != nil || !slices.Equal(got, []string{"2 1", "3 2", "4 3"}) {
		t.Fatalf("read %q, %v", got, err)
	}
	for i, want := range []string{`5" pipe`, `"tee`, `"a"`} {
		if rows[i].Invoice.Description != want {
			t.Errorf("line %d is %s, want %s", rows[i].Line, rows[i].Invoice.Description, want)
		}
	}
	ours := "invoice_id,email,amount,currency,description,row,error_column,error\nA,a@example.com,1,EUR,\"5\"\" pipe, long\",2,,x\n"
	_, rows, err = readAll(t, write(t, ours), Options{NoQuotes: true})
	if err != nil || len(rows) != 1 || rows[0].Invoice.Description != `5" pipe, long` {
		t.Errorf("a file of ours: %+v, %v", rows, err)
	}
}
