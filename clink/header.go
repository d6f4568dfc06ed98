package clink

import (
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// headers make a request's header from what every request says and its time. Requests of one millisecond share one, which
// nobody changes.
type headers struct {
	timeless http.Header
	latest   atomic.Pointer[timed]
}

type timed struct {
	millis int64
	header http.Header
}

func (h *headers) at(now time.Time) http.Header {
	millis := now.UnixMilli()
	if latest := h.latest.Load(); latest != nil && latest.millis == millis {
		return latest.header
	}
	header := maps.Clone(h.timeless)
	header["X-Timestamp"] = []string{strconv.FormatInt(millis, 10)}
	h.latest.Store(&timed{millis, header})
	return header
}
