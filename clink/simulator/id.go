package simulator

import (
	"encoding/base32"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"time"
)

const idPrefix = "sess_"

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// sessionID is what the id of a session says: when it was issued, as which session of its simulator, and
// a nonce that tells simulators apart. The time lets a simulator that was restarted, and so has
// forgotten its sessions, still know that one's life is over.
type sessionID struct {
	issued int64 // milliseconds since the Unix epoch
	number uint32
	nonce  [5]byte
}

// newNonce is unseeded: simulators that share a seed must not issue the same id.
func newNonce() (nonce [5]byte) {
	var eight [8]byte
	binary.NativeEndian.PutUint64(eight[:], rand.Uint64())
	copy(nonce[:], eight[:])
	return nonce
}

func (id sessionID) String() string {
	var raw [15]byte
	var eight [8]byte
	binary.BigEndian.PutUint64(eight[:], uint64(id.issued))
	copy(raw[:6], eight[2:])
	binary.BigEndian.PutUint32(raw[6:10], id.number)
	copy(raw[10:], id.nonce[:])
	return idPrefix + idEncoding.EncodeToString(raw[:])
}

// token is the secret that goes with the session, of a form that searches for leaks will find.
func (id sessionID) token() string {
	return "tok_simulator_" + strings.TrimPrefix(id.String(), idPrefix)
}

// order is the id of the session's order. A session has one at most.
func (id sessionID) order() string {
	return "order_" + strings.TrimPrefix(id.String(), idPrefix)
}

func (id sessionID) issuedAt() time.Time { return time.UnixMilli(id.issued).UTC() }

// parseSessionID reports false for a text that no simulator has issued.
func parseSessionID(text string) (sessionID, bool) {
	encoded, found := strings.CutPrefix(text, idPrefix)
	raw, err := idEncoding.DecodeString(encoded)
	if !found || err != nil || len(raw) != 15 {
		return sessionID{}, false
	}
	var eight [8]byte
	copy(eight[2:], raw[:6])
	id := sessionID{
		issued: int64(binary.BigEndian.Uint64(eight[:])),
		number: binary.BigEndian.Uint32(raw[6:10]),
		nonce:  [5]byte(raw[10:]),
	}
	return id, true
}
