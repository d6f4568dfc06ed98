package xlsx

import (
	"strconv"
	"strings"
)

// Shown is how the spreadsheet shows a number.
type Shown struct {
	Text    string   // all of it, with a decimal point and a comma between thousands whatever the computer's settings
	Number  string   // its digits alone, with a decimal point; "" where they are no plain number
	Signs   []string // what stands before, between and behind the digits, without the spaces around it
	Percent bool     // the number is shown times 100, with a percent sign
}

var ungrouped = strings.NewReplacer(",", "", " ", "")

// Show is how the format shows a number that a cell holds, as its text.
func (f *Format) Show(number string) Shown {
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return Shown{Text: number}
	}
	s, minus := f.section(value)
	if s == nil {
		s = &section{general: true, items: []item{{generalNumber, ""}}}
	}
	shown := Shown{Percent: s.percent > 0}
	before := ""
	if minus {
		before = "-"
	}
	if s.odd || s.date || s.clock || strings.ContainsAny(number, "eE") {
		shown.Text = before + f.Code
		for _, it := range s.items {
			if it.kind == literal {
				shown.sign(it.text)
			}
		}
		return shown
	}
	var text, plain strings.Builder
	text.WriteString(before)
	shown.sign(before)
	digits := s.fill(strings.TrimPrefix(number, "-"))
	for i, it := range s.items {
		if it.kind == literal {
			shown.sign(it.text)
			text.WriteString(it.text)
			continue
		}
		text.WriteString(digits[i])
		plain.WriteString(ungrouped.Replace(digits[i]))
	}
	shown.Text, shown.Number = strings.TrimSpace(text.String()), strings.TrimSuffix(plain.String(), ".")
	return shown
}

func (s *Shown) sign(text string) {
	if text = strings.TrimSpace(text); text != "" {
		s.Signs = append(s.Signs, text)
	}
}

// fill gives each item that is no literal its part of the number, which has no sign.
func (s *section) fill(number string) []string {
	parts := make([]string, len(s.items))
	if s.general {
		for i, it := range s.items {
			if it.kind == generalNumber {
				parts[i] = number
			}
		}
		return parts
	}
	var whole, decimals []int // the places of the placeholders
	pointAt := -1
	for i, it := range s.items {
		switch {
		case it.kind == point:
			pointAt = i
		case it.kind != placeholder:
		case pointAt < 0:
			whole = append(whole, i)
		default:
			decimals = append(decimals, i)
		}
	}
	before, after := rounded(shifted(number, 2*s.percent-3*s.thousands), len(decimals))
	if pointAt >= 0 {
		parts[pointAt] = "."
		if len(whole) == 0 {
			parts[pointAt] = before + "."
		}
	}
	for n, i := len(decimals)-1, true; n >= 0; n-- { // zeros at the end may be left out
		digit, mark := after[n:n+1], s.items[decimals[n]].text
		i = i && digit == "0"
		switch {
		case i && mark == "#":
			digit = ""
		case i && mark == "?":
			digit = " "
		default:
			i = false
		}
		parts[decimals[n]] = digit
	}
	emitted := 0
	emit := func(digit string) string {
		if digit != "" && digit != " " {
			if emitted++; s.grouped && emitted > 1 && emitted%3 == 1 {
				digit += ","
			}
		}
		return digit
	}
	for n := len(whole) - 1; n >= 0; n-- {
		digit := ""
		switch mark := s.items[whole[n]].text; {
		case before != "":
			digit, before = before[len(before)-1:], before[:len(before)-1]
		case mark == "0":
			digit = "0"
		case mark == "?":
			digit = " "
		}
		parts[whole[n]] = emit(digit)
		for n == 0 && before != "" {
			parts[whole[0]] = emit(before[len(before)-1:]) + parts[whole[0]]
			before = before[:len(before)-1]
		}
	}
	return parts
}

// shifted is a decimal without a sign, times ten to the power of places.
func shifted(number string, places int) string {
	whole, decimals, _ := strings.Cut(number, ".")
	if places >= 0 {
		decimals += strings.Repeat("0", max(0, places-len(decimals)))
		whole, decimals = whole+decimals[:places], decimals[places:]
	} else {
		whole = strings.Repeat("0", max(0, -places-len(whole))) + whole
		whole, decimals = whole[:len(whole)+places], whole[len(whole)+places:]+decimals
	}
	return whole + "." + decimals
}

// rounded splits a decimal without a sign at its point, with so many decimals, the last one rounded as spreadsheets do: a half goes up.
// Needless zeros before the point are left out, the only one, too.
func rounded(number string, places int) (whole, decimals string) {
	whole, decimals, _ = strings.Cut(number, ".")
	if len(decimals) <= places {
		return strings.TrimLeft(whole, "0"), decimals + strings.Repeat("0", places-len(decimals))
	}
	up := decimals[places] >= '5'
	all := []byte("0" + whole + decimals[:places])
	for i := len(all) - 1; up; i-- {
		if up = all[i] == '9'; up {
			all[i] = '0'
		} else {
			all[i]++
		}
	}
	point := len(all) - places
	return strings.TrimLeft(string(all[:point]), "0"), string(all[point:])
}
