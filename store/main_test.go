package store_test

import (
	"fmt"
	"os"
	"testing"

	"paylinks/store/postgres/pgtest"
)

// helpers are what this test binary does instead of its tests when it runs as another process, to be killed.
var helpers = map[string]func(args []string) error{}

const helperName = "PAYLINKS_STORE_TEST_HELPER"

func TestMain(m *testing.M) {
	if helper, ok := helpers[os.Getenv(helperName)]; ok {
		if err := helper(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(pgtest.Main(m))
}
