package clink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"paylinks/clink"
)

// TestErrorInWords guards that a person who reads an error is not told of an EOF.
func TestErrorInWords(t *testing.T) {
	for _, tt := range []struct {
		cause error
		want  string
	}{
		{io.EOF, "clink: unknown: the connection ended without an answer"},
		{fmt.Errorf("read the answer: %w", io.ErrUnexpectedEOF), "clink: unknown: read the answer: it was cut off"},
		{fmt.Errorf("not done within 1s: %w", context.DeadlineExceeded), "clink: unknown: not done within 1s: no answer in time"},
		{errors.New("a cause called EOF"), "clink: unknown: a cause called EOF"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			if got := (&clink.Error{Class: clink.Unknown, Err: tt.cause}).Error(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
