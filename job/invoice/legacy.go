package invoice

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// legacies are the encodings in which programs write CSV that is not Unicode. Nobody but a person who knows the words can tell which it is.
var legacies = []legacy{
	{"windows-1252", charmap.Windows1252}, // western Europe
	{"windows-1250", charmap.Windows1250}, // central Europe
	{"windows-1251", charmap.Windows1251}, // Cyrillic
	{"gb18030", simplifiedchinese.GB18030},
	{"big5", traditionalchinese.Big5},
	{"shift_jis", japanese.ShiftJIS},
	{"euc-kr", korean.EUCKR},
}

type legacy struct {
	name string
	encoding.Encoding
}

const (
	linesDecoded  = 1000     // lines of which each encoding must be able to read all
	bytesSurveyed = 64 << 20 // how far below its first line that is not UTF-8 a file is looked at
	wordsShown    = 3        // words that a message shows
	wordLength    = 24       // characters of a word that it shows
)

// survey is what the lines of a file that is not UTF-8 say of its encoding.
type survey struct {
	utf8, other Lines // lines that are not ASCII: UTF-8, and not
	decodings   []decoding
}

// decoding is how the words of the lines read in an encoding.
type decoding struct {
	legacy
	words []string
	wrong bool // it cannot read all of them
}

// add takes a line that is not UTF-8.
func (s *survey) add(number int, line []byte) {
	s.other.add(number)
	if s.decodings == nil {
		for _, l := range legacies {
			s.decodings = append(s.decodings, decoding{legacy: l})
		}
	}
	if s.other.Count > linesDecoded {
		return
	}
	for i := range s.decodings {
		if r := &s.decodings[i]; !r.wrong {
			text, err := r.NewDecoder().Bytes(line)
			r.wrong = err != nil || bytes.ContainsFunc(text, impossible)
			r.words = addWords(r.words, string(text))
		}
	}
}

// impossible says whether the character is in no text: what could not be decoded, controls, and what nobody has given a meaning.
func impossible(r rune) bool {
	return r == unicode.ReplacementChar || r != '\t' && r != '\n' && r != '\r' && unicode.IsControl(r) || unicode.Is(unicode.Co, r)
}

// addWords adds the words of the text that have letters beyond ASCII, each once, up to wordsShown.
func addWords(words []string, text string) []string {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" ,;|\t\r\n\"\u00a0", r) }) {
		if len(words) == wordsShown {
			break
		}
		if isASCII([]byte(word)) {
			continue
		}
		if runes := []rune(word); len(runes) > wordLength {
			word = string(runes[:wordLength]) + "…"
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}

// read says how the words read in the encodings that can read them all.
func (s *survey) read() string {
	var texts []string
	for _, r := range s.decodings {
		if !r.wrong {
			texts = append(texts, "as "+r.name+": "+strings.Join(r.words, " "))
		}
	}
	if texts == nil {
		return "no encoding that we know reads its words"
	}
	return "its words read " + strings.Join(texts, "; ")
}

// notUTF8 is the problem of a file with this line, which is not UTF-8. The lines below it are looked at, too.
func (t *text) notUTF8(line []byte, number int) error {
	at := invalidAt(line)
	value, code := around(line, at), line[at]
	t.survey.add(number, line)
	for below, size := number+1, 0; size < bytesSurveyed; below++ {
		line, err := t.readLine()
		size += len(line)
		switch {
		case len(line) > maxLine || err != nil && err != io.EOF:
			size = bytesSurveyed
		case isASCII(line):
		case utf8.Valid(line):
			t.survey.utf8.add(below)
		default:
			t.survey.add(below, line)
		}
		if err == io.EOF {
			break
		}
	}
	if t.survey.utf8.Count > 0 {
		return t.problem(number, value, flaw(EncodingMixed, fmt.Sprintf("is not UTF-8, and other lines are: %s of the file (lines that are not: %s); %s",
			t.survey.utf8, t.survey.other, t.survey.read()), "no encoding reads all of it: have the program that writes it write UTF-8 everywhere"))
	}
	return t.problem(number, value, flaw(EncodingInvalid, fmt.Sprintf("is not UTF-8: byte 0x%02X; %s", code, t.survey.read()), "save the file as CSV UTF-8",
		Option{Do: Add, Setting: "encoding", When: "one of these is right"}))
}

// westerns are the encodings in which à to ÿ of UTF-8 look like Ã and a sign, which no word has.
var westerns = map[string]*charmap.Charmap{
	"windows-1252": charmap.Windows1252, "iso-8859-1": charmap.ISO8859_1, "iso-8859-15": charmap.ISO8859_15,
}

// readTwice is the word of a line, decoded from a western encoding, that was UTF-8 before; and what it is in UTF-8. It is "" where there
// is none.
func readTwice(line []byte, western *charmap.Charmap) (word, meant string) {
	const lead = "Ã"
	for at := 0; ; {
		n := bytes.Index(line[at:], []byte(lead))
		if n < 0 {
			return "", ""
		}
		at += n
		next, _ := utf8.DecodeRune(line[at+len(lead):])
		if b, ok := western.EncodeRune(next); ok && 0x80 <= b && b < 0xc0 {
			word = around(line, at)
			raw, err := western.NewEncoder().String(word)
			if err == nil && utf8.ValidString(raw) {
				return word, raw
			}
		}
		at += len(lead)
	}
}
