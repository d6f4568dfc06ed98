package simulator_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	"paylinks/clink/simulator"
)

// BenchmarkCreate is the work of one create without the network: run it with -cpu 1.
func BenchmarkCreate(b *testing.B) {
	server := simulator.New(simulator.Config{AllowNoKey: true})
	before := heap()
	b.ReportAllocs()
	for b.Loop() {
		request := httptest.NewRequest(http.MethodPost, "/checkout/session", bytes.NewReader([]byte(hosted)))
		request.Header = apiHeader()
		recorder := httptest.NewRecorder()
		server.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusOK {
			b.Fatal(recorder.Code, recorder.Body)
		}
	}
	b.ReportMetric(float64(heap()-before)/float64(b.N), "B-held/session")
	runtime.KeepAlive(server)
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// BenchmarkCreateOverLoopback includes net/http on both sides.
func BenchmarkCreateOverLoopback(b *testing.B) {
	server := httptest.NewServer(simulator.New(simulator.Config{AllowNoKey: true}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			request, _ := http.NewRequest(http.MethodPost, server.URL+"/checkout/session", bytes.NewReader([]byte(hosted)))
			request.Header = apiHeader()
			response, err := client.Do(request)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	})
}

func apiHeader() http.Header {
	return http.Header{
		"X-Api-Key":    {"sk_test_simulator"},
		"X-Timestamp":  {strconv.FormatInt(time.Now().UnixMilli(), 10)},
		"Content-Type": {"application/json"},
	}
}
