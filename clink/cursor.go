package clink

import (
	"encoding/json"
	"strings"
)

// cursor reads JSON from its beginning, for as long as it is what is asked for.
type cursor struct {
	text   string
	at     int
	failed bool // it was not; nothing is left to read then
}

func (c *cursor) fail() { c.at, c.failed = len(c.text), true }

// next reads the token if it stands here.
func (c *cursor) next(token string) bool {
	found := strings.HasPrefix(c.text[c.at:], token)
	if found {
		c.at += len(token)
	}
	return found
}

func (c *cursor) must(token string) {
	if !c.next(token) {
		c.fail()
	}
}

// byte is the one that stands here; 0 at the end.
func (c *cursor) byte() byte {
	if c.at == len(c.text) {
		return 0
	}
	return c.text[c.at]
}

func (c *cursor) space() {
	for b := c.byte(); b == ' ' || b == '\n' || b == '\t' || b == '\r'; b = c.byte() {
		c.at++
	}
}

// maxDepth is how many objects and lists may be inside of each other, as in encoding/json.
const maxDepth = 10_000

// value reads any value, which is inside of so many objects and lists.
func (c *cursor) value(depth int) (raw string) {
	c.space()
	from := c.at
	switch b := c.byte(); {
	case b == '"':
		c.string()
	case (b == '{' || b == '[') && depth == maxDepth:
		c.fail()
	case c.next("{"):
		for more := c.first("}"); more; more = c.another("}") {
			c.member(depth + 1)
		}
	case c.next("["):
		for more := c.first("]"); more; more = c.another("]") {
			c.value(depth + 1)
		}
	case c.next("true"), c.next("false"), c.next("null"):
	default:
		c.number()
	}
	return c.text[from:c.at]
}

// first says whether an object or a list that began has an entry; else it reads its end.
func (c *cursor) first(end string) bool {
	c.space()
	return !c.next(end)
}

// another says whether a further entry follows; else it reads the end.
func (c *cursor) another(end string) bool {
	if c.space(); c.next(",") {
		return true
	}
	c.must(end)
	return false
}

// member reads a member of an object.
func (c *cursor) member(depth int) (name, raw string) {
	c.space()
	name, _ = c.string()
	c.space()
	c.must(":")
	return name, c.value(depth)
}

// standsForItself are the bytes that stand in a string as they are: in everybody's, and in those that our encoder writes.
var standsForItself = func() (those [256]bool) {
	for b := ' '; b <= '~'; b++ {
		those[b] = !strings.ContainsRune("\"\\<>&", b)
	}
	return those
}()

// string reads a string, with its quotes. It is plain when it says what stands between them, and our own encoder would not
// write it in another way.
func (c *cursor) string() (raw string, plain bool) {
	from := c.at
	c.must(`"`)
	plain = true
	for i := c.at; i < len(c.text); i++ {
		switch b := c.text[i]; {
		case standsForItself[b]:
		case b == '"':
			raw, c.at = c.text[from:i+1], i+1
			if !plain && !json.Valid([]byte(raw)) {
				c.fail()
			}
			return raw, plain
		case b == '\\':
			plain = false
			i++
		default:
			plain = false
		}
	}
	c.fail()
	return "", false
}

// number reads a number as JSON has them.
func (c *cursor) number() (raw string) {
	from := c.at
	c.next("-")
	if !c.next("0") {
		c.digits()
	}
	if c.next(".") {
		c.digits()
	}
	if c.next("e") || c.next("E") {
		if !c.next("+") {
			c.next("-")
		}
		c.digits()
	}
	return c.text[from:c.at]
}

// digits reads at least one.
func (c *cursor) digits() {
	from := c.at
	for b := c.byte(); '0' <= b && b <= '9'; b = c.byte() {
		c.at++
	}
	if c.at == from {
		c.fail()
	}
}
