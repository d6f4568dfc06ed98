package main

import (
	"strings"

	"paylinks/job/invoice"
)

// worded is the problem in the words of the command line: a setting is named by its flag in Column, and Advice includes the
// flags that would help.
func worded(p invoice.Problem) invoice.Problem {
	if p.Setting != "" {
		p.Column, p.Setting = flagOf(p.Setting), ""
	}
	for _, option := range p.Options {
		text := optionText(option)
		switch {
		case option.When != "" && p.Advice != "":
			text = "; if " + option.When + ", " + text
		case option.When != "":
			text = "if " + option.When + ", " + text
		case p.Advice != "":
			text = ", or " + text
		}
		p.Advice += text
	}
	p.Options = nil
	return p
}

// placeholders stand for values that the person has to find.
var placeholders = map[string]string{"map": "HEADER", "currency": "CODE", "return_url": "URL", "series": "NAME"}

// optionText says what to do with the option's flag.
func optionText(o invoice.Option) string {
	value := placeholders[o.Setting]
	if o.Value != "" {
		value = shellQuoted(o.Value)
	}
	if o.Setting == "map" {
		value = o.Column + "=" + value
	}
	flag := strings.TrimSpace(flagOf(o.Setting) + " " + value)
	switch {
	case o.Do == invoice.LeaveOut && o.When == "":
		return "leave out " + flag + " for this file"
	case o.Do == invoice.LeaveOut:
		return "leave out " + flag
	case o.Do == invoice.Replace && o.Value == "":
		return "give another " + flagOf(o.Setting)
	case o.Do == invoice.Replace:
		return "did you mean " + flag + "?"
	}
	return "add " + flag
}

// flagOf is the flag of a setting or of a column's value for the whole job.
func flagOf(name string) string { return "--" + strings.ReplaceAll(name, "_", "-") }
