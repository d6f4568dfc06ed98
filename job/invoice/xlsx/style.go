package xlsx

import (
	"encoding/xml"
	"strconv"
)

// readStyles reads the number format of each style of cells. A book without styles has the general format alone.
func (b *Book) readStyles() error {
	general := &Format{Code: "General"}
	name, has := b.kinds["styles"]
	if !has {
		b.formats = []*Format{general}
		return nil
	}
	p, err := b.archive.open(name, maxSmallPart)
	if err != nil {
		return err
	}
	defer p.close()
	if _, err := p.begin(); err != nil {
		return err
	}
	codes := map[string]string{}
	known := map[string]*Format{}
	var formats []*Format
	err = p.each(func(place string, e xml.StartElement) error {
		switch place {
		case "numFmts/numFmt":
			code := attribute(e, "formatCode")
			for _, a := range e.Attr { // the newer spelling wins; it stands in a namespace of its own
				if a.Name.Local == "formatCode16" {
					code = a.Value
				}
			}
			codes[attribute(e, "numFmtId")] = string(unescape([]byte(code), 0))
		case "cellXfs/xf":
			id := attribute(e, "numFmtId")
			if known[id] == nil {
				code, own := codes[id]
				if !own {
					code = builtIn(id)
				}
				known[id] = parseFormat(code)
			}
			formats = append(formats, known[id])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.end(); err != nil {
		return err
	}
	if len(formats) == 0 {
		formats = []*Format{general}
	}
	b.formats = formats
	return nil
}

// builtIn is the number format that has this number without standing in the workbook. Programs show those with a dollar sign in the
// currency of the computer, and write them out when they save; where one stands for itself, a program meant the dollar.
func builtIn(id string) string {
	n, err := strconv.Atoi(id)
	if err != nil || builtInFormats[n] == "" {
		return "General"
	}
	return builtInFormats[n]
}

var builtInFormats = map[int]string{
	1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00",
	5: `"$"#,##0_);("$"#,##0)`, 6: `"$"#,##0_);[Red]("$"#,##0)`,
	7: `"$"#,##0.00_);("$"#,##0.00)`, 8: `"$"#,##0.00_);[Red]("$"#,##0.00)`,
	9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
	14: "m/d/yyyy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
	18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yyyy h:mm",
	37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)", 39: "#,##0.00_);(#,##0.00)", 40: "#,##0.00_);[Red](#,##0.00)",
	41: `_(* #,##0_);_(* \(#,##0\);_(* "-"_);_(@_)`, 42: `_("$"* #,##0_);_("$"* \(#,##0\);_("$"* "-"_);_(@_)`,
	43: `_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)`, 44: `_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)`,
	45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",

	// of East Asian and Thai versions; which of several dates they are does not matter here
	27: "yyyy-m-d", 28: "yyyy-m-d", 29: "yyyy-m-d", 30: "yyyy-m-d", 31: "yyyy-m-d", 32: "h:mm", 33: "h:mm:ss",
	34: "yyyy-m-d h:mm", 35: "yyyy-m-d h:mm", 36: "yyyy-m-d", 50: "yyyy-m-d", 51: "yyyy-m-d", 52: "yyyy-m-d", 53: "yyyy-m-d",
	54: "yyyy-m-d", 55: "yyyy-m-d h:mm", 56: "yyyy-m-d h:mm", 57: "yyyy-m-d", 58: "yyyy-m-d",
	59: "0", 60: "0.00", 61: "#,##0", 62: "#,##0.00", 67: "0%", 68: "0.00%", 69: "# ?/?", 70: "# ??/??",
	71: "d/m/yyyy", 72: "d-mmm-yy", 73: "d-mmm", 74: "mmm-yy", 75: "h:mm", 76: "h:mm:ss", 77: "d/m/yyyy h:mm",
	78: "mm:ss", 79: "[h]:mm:ss", 80: "mm:ss.0", 81: "d/m/yyyy",
}
