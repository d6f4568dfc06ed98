package simulator

import (
	"encoding/json"
	"slices"
)

// The functions here read JSON more strictly than encoding/json's Unmarshal: names match in every letter,
// none comes twice, and null, which Clink's reference never mentions, is not a value.
// The decoder must have UseNumber set, so that numbers keep their text.

// readObject calls readField for each field, with the decoder in front of its value.
func readObject(d *json.Decoder, name string, readField func(d *json.Decoder, name string) error) error {
	if err := readDelimiter(d, name, '{', "an object"); err != nil {
		return err
	}
	seen := make([]string, 0, 18) // all fields of a create
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return notJSON(err)
		}
		field := token.(string)
		if slices.Contains(seen, field) {
			return badRequest("%s: comes twice", field)
		}
		seen = append(seen, field)
		if err := readField(d, field); err != nil {
			return err
		}
	}
	return readDelimiter(d, name, '}', "the end of an object")
}

// readArray calls readElement for each element, with the decoder in front of it.
func readArray(d *json.Decoder, name string, readElement func(name string) error) error {
	if err := readDelimiter(d, name, '[', "an array"); err != nil {
		return err
	}
	for d.More() {
		if err := readElement(name); err != nil {
			return err
		}
	}
	return readDelimiter(d, name, ']', "the end of an array")
}

func readDelimiter(d *json.Decoder, name string, want json.Delim, meaning string) error {
	token, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	if token != want {
		return badRequest("%s: must be %s", name, meaning)
	}
	return nil
}

// readScalar reads a value of exactly the type of into.
func readScalar[T string | bool | json.Number](d *json.Decoder, name string, into *T) error {
	token, err := d.Token()
	if err != nil {
		return notJSON(err)
	}
	value, ok := token.(T)
	if !ok {
		return badRequest("%s: must be a %s", name, jsonType(*into))
	}
	*into = value
	return nil
}

// readText reads a string and refuses an empty one: a field without a value is to be left out.
func readText(d *json.Decoder, name string, into *string) error {
	if err := readScalar(d, name, into); err != nil {
		return err
	}
	if *into == "" {
		return badRequest("%s: is empty", name)
	}
	return nil
}

func jsonType(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	default:
		return "string"
	}
}

func notJSON(err error) error {
	return badRequest("body is not JSON: %v", err)
}
