package clink

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"testing"
)

// sessionAnswer is what Clink answers to benchRequest, in its length and its members.
const sessionAnswer = `{"code":200,"msg":"success","data":{"sessionId":"sess_01JNQ8Z4T0V7WZK3M5R2X9C6HB",` +
	`"tokenValue":"tok_9f8e7d6c5b4a39281706f5e4d3c2b1a0","customerId":"cus_01JNQ8Z4T0A1B2C3D4E5F6G7H8",` +
	`"originalAmount":1249.50,"originalCurrency":"USD","uiMode":"hostedPage","returnUrl":null,` +
	`"url":"https://uat-checkout.clinkbill.com/pay/sess_01JNQ8Z4T0V7WZK3M5R2X9C6HB",` +
	`"merchantReferenceId":"INV-2026-000123","expireTime":"2026-03-01T10:00:00Z"}}`

var benchRequest = SessionRequest{
	Amount: "1249.50", Currency: "USD", CustomerEmail: "ada.lovelace@example.com", MerchantReferenceID: "INV-2026-000123",
	PriceData:  []PriceData{{Name: "Consulting, February", Quantity: 1, UnitAmount: "1249.50", Currency: "USD"}},
	SuccessURL: "https://example.com/thanks", CancelURL: "https://example.com/cancelled",
}.Prepare()

const (
	benchKey     = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
	benchWorkers = 64
)

// BenchmarkCreateSession is to be compared with [BenchmarkBareTransport] of the same run: the difference is ours.
func BenchmarkCreateSession(b *testing.B) {
	client, err := New(Config{BaseURL: serveSessions(b), Key: benchKey, Version: "1.2.3", Connections: benchWorkers})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.CloseIdle)
	inParallel(b, func() error {
		_, err := client.CreateSession(b.Context(), benchRequest)
		return err
	})
}

// BenchmarkBareTransport is the same POST by a plain http.Client that drops the answer.
func BenchmarkBareTransport(b *testing.B) {
	url := serveSessions(b) + "/checkout/session"
	body := []byte(`{"originalAmount":1249.50,"originalCurrency":"USD","customerEmail":"ada.lovelace@example.com","merchantReferenceId":"INV-2026-000123",` +
		`"priceDataList":[{"name":"Consulting, February","quantity":1,"unitAmount":1249.50,"currency":"USD"}],` +
		`"successUrl":"https://example.com/thanks","cancelUrl":"https://example.com/cancelled"}`)
	transport := &http.Transport{MaxIdleConns: benchWorkers, MaxIdleConnsPerHost: benchWorkers}
	b.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	inParallel(b, func() error {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Api-Key", benchKey)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

// BenchmarkReadRequest is what a stored request costs on its way out.
func BenchmarkReadRequest(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadRequest(benchRequest.body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadAnswer is what an answer costs once it is here.
func BenchmarkReadAnswer(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		outcome := classify(response{status: 200, body: []byte(sessionAnswer)})
		if _, err := decodeSession(outcome.data); err != nil {
			b.Fatal(err)
		}
	}
}

// inParallel has benchWorkers goroutines do it.
func inParallel(b *testing.B, do func() error) {
	b.Helper()
	b.ReportAllocs()
	b.SetParallelism(benchWorkers / runtime.GOMAXPROCS(0)) // which it is multiplied by
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// serveSessions answers every POST with sessionAnswer, at once and without allocating, and returns its address.
func serveSessions(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	response := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Sun, 01 Mar 2026 09:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s",
		len(sessionAnswer), sessionAnswer)
	serve := func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		for from := bufio.NewReader(conn); ; {
			length := 0
			for {
				line, err := from.ReadSlice('\n')
				if err != nil {
					return
				}
				if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
					length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
				}
				if len(line) == len("\r\n") {
					break
				}
			}
			if _, err := from.Discard(length); err != nil {
				return
			}
			if _, err := conn.Write(response); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}
