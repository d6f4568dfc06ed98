package simulator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxBody = 1 << 20
	maxSkew = 5 * time.Minute // between X-Timestamp and our clock
)

// createdData is the data of a create's answer.
type createdData struct {
	SessionID           string      `json:"sessionId"`
	TokenValue          string      `json:"tokenValue"`
	CustomerID          string      `json:"customerId"`
	OriginalAmount      json.Number `json:"originalAmount"`
	OriginalCurrency    string      `json:"originalCurrency"`
	UIMode              string      `json:"uiMode"`
	ReturnURL           string      `json:"returnUrl,omitempty"`
	URL                 string      `json:"url,omitempty"`
	MerchantReferenceID string      `json:"merchantReferenceId,omitempty"`
	ExpireTime          string      `json:"expireTime,omitempty"`
}

func (s *Server) serveCreate(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.send(w, r, methodNotAllowed(http.MethodPost))
		return
	}
	s.tally.creates.Add(1)
	dice := s.faults.Load().creates
	fault := dice.roll() // first of all, so that nothing but the order of requests matters
	asked := received{request: onCreate}
	a, err := s.create(w, r, dice, fault, &asked)
	if err != nil {
		a = s.answerRefusal(err)
	}
	s.record.note(asked, a)
	s.send(w, r, a)
}

func (s *Server) create(w http.ResponseWriter, r *http.Request, dice *dice, fault Fault, asked *received) (answer, error) {
	if err := s.admit(r); err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if fault == "" && len(dice.chosen) > 0 {
		row := glance(body)
		fault = dice.rollRow(row.MerchantReferenceID, row.CustomerEmail)
	}
	if fault != "" && !fault.row().creates {
		asked.reference, asked.fault = glance(body).MerchantReferenceID, fault.onRecord()
		s.tally.countFault(fault)
		return fault.instead(), nil
	}
	if err != nil {
		return answer{}, unreadable(err)
	}
	if err := cmp.Or(checkContentType(r.Header), checkTimestamp(r.Header)); err != nil {
		return answer{}, err
	}
	request, err := readCreateRequest(body)
	if err != nil {
		asked.reference = glance(body).MerchantReferenceID
		return answer{}, err
	}
	asked.reference, asked.fault = request.merchantReferenceID, fault.onRecord()
	id, expires := s.record.add(newEntry(request, fault))
	data := s.describe(request, id, expires)
	if fault == "" {
		a := success(kindCreated, data)
		a.session = &id
		return a, nil
	}
	s.tally.countFault(fault)
	a := fault.spoil(data, request, s.config.SlowBy)
	a.session = &id
	return a, nil
}

// names are what a fault of chosen rows knows a row by.
type names struct {
	MerchantReferenceID, CustomerEmail string
}

// glance reads the names in a body that may be one that is refused.
func glance(body []byte) (row names) {
	_ = json.Unmarshal(body, &row) // what cannot be read stays empty
	return row
}

func newEntry(request *createRequest, fault Fault) entry {
	e := entry{
		reference:           request.merchantReferenceID,
		customerID:          request.customer(),
		customerEmail:       request.customerEmail,
		referenceCustomerID: request.referenceCustomerID,
		minor:               request.minor,
		fault:               fault.onRecord(),
		elements:            request.isElements(),
		delivered:           !fault.row().loses,
	}
	copy(e.currency[:], request.originalCurrency)
	return e
}

func (s *Server) describe(request *createRequest, id sessionID, expires time.Time) createdData {
	data := createdData{
		SessionID:           id.String(),
		TokenValue:          id.token(),
		CustomerID:          request.customer(),
		OriginalAmount:      request.originalAmount,
		OriginalCurrency:    request.originalCurrency,
		UIMode:              request.uiMode,
		MerchantReferenceID: request.merchantReferenceID,
		ExpireTime:          expires.Format(timeFormat),
		ReturnURL:           strings.ReplaceAll(request.returnURL, "{ELEMENTS_SESSION_ID}", id.String()),
	}
	if data.UIMode == "" {
		data.UIMode = "hostedPage"
	}
	if !request.isElements() {
		data.URL = s.payURL(id)
	}
	return data
}

// customer is the same for the same email or reference, as if the first request had created it.
func (c *createRequest) customer() string {
	if c.customerID != "" {
		return c.customerID
	}
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%q %q", c.customerEmail, c.referenceCustomerID)
	return fmt.Sprintf("cus_%016x", hash.Sum64())
}

// admit is the gate that every request of the API passes: its key, then the rate.
func (s *Server) admit(r *http.Request) error {
	key := r.Header.Get("X-API-KEY")
	switch {
	case s.config.Key != "" && key != s.config.Key:
		return &refusal{http.StatusUnauthorized, "X-API-KEY is not known"}
	case s.config.Key == "" && key == "" && !s.config.AllowNoKey:
		return &refusal{http.StatusUnauthorized, "X-API-KEY is missing"}
	case s.record.created() >= int(s.revokeAt.Load()):
		return &refusal{http.StatusUnauthorized, "X-API-KEY was revoked"}
	case s.limiter != nil && !s.limiter.Allow():
		s.tally.rateLimited.Add(1)
		return &refusal{http.StatusTooManyRequests, "too many requests"}
	default:
		return nil
	}
}

func (s *Server) answerRefusal(err error) answer {
	refused, ok := errors.AsType[*refusal](err)
	if !ok { // the body could not be read: nobody is there
		return closeConnection()
	}
	a := refuse(refused.code, refused.msg)
	if a.kind == kindThrottled {
		a.header = map[string]string{"Retry-After": s.retryAfter}
	}
	return a
}

func methodNotAllowed(allowed string) answer {
	a := refuse(http.StatusMethodNotAllowed, "only "+allowed+" is allowed here")
	a.header = map[string]string{"Allow": allowed}
	return a
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &refusal{http.StatusRequestEntityTooLarge, "body is over 1 MiB"}
	}
	return err
}

// checkContentType checks what a request with a body carries.
func checkContentType(header http.Header) error {
	if contentType := header.Get("Content-Type"); contentType != "application/json" {
		mediaType, _, err := mime.ParseMediaType(contentType)
		if err != nil || mediaType != "application/json" {
			return &refusal{http.StatusUnsupportedMediaType, "Content-Type: must be application/json"}
		}
	}
	return nil
}

// checkTimestamp checks what every request of the API carries beside its key.
func checkTimestamp(header http.Header) error {
	milliseconds, err := strconv.ParseInt(header.Get("X-Timestamp"), 10, 64)
	if err != nil {
		return badRequest("X-Timestamp: must be milliseconds since the Unix epoch")
	}
	if skew := time.Since(time.UnixMilli(milliseconds)).Abs(); skew > maxSkew {
		return badRequest("X-Timestamp: is more than 5 minutes from now")
	}
	return nil
}
