package simulator

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// payPage is what page/pay.html shows.
type payPage struct {
	Session
	CanPay bool
}

func (s *Server) serveIndex(w http.ResponseWriter, _ *http.Request) {
	writePage(w, http.StatusOK, "index.html", s.Summary().String())
}

func (s *Server) servePayPage(w http.ResponseWriter, r *http.Request) {
	session, held := s.find(r.PathValue("id"))
	if !held {
		writePage(w, http.StatusNotFound, "unknown.html", r.PathValue("id"))
		return
	}
	canPay := session.Status == Open && session.PaymentStatus == Unpaid
	writePage(w, http.StatusOK, "pay.html", payPage{session, canPay})
}

// servePayAction does what the page's buttons say, unless the session was paid or expired meanwhile.
func (s *Server) servePayAction(w http.ResponseWriter, r *http.Request) {
	id, _ := parseSessionID(r.PathValue("id"))
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	action := r.PostFormValue("action")
	if action != "pay" && action != "expire" {
		http.Error(w, "action must be pay or expire", http.StatusBadRequest)
		return
	}
	now := time.Now()
	held := s.record.change(id, func(e *entry) {
		switch {
		case e.status(now) != Open || e.payment != unpaid:
		case action == "pay":
			e.pay(paid, orderSuccess)
		default:
			e.expires = now.UnixMilli()
		}
	})
	if !held {
		writePage(w, http.StatusNotFound, "unknown.html", r.PathValue("id"))
		return
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
}

func writePage(w http.ResponseWriter, status int, name string, data any) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	w.WriteHeader(status)
	w.Write(body.Bytes())
}
