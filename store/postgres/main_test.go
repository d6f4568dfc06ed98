package postgres_test

import (
	"os"
	"testing"

	"paylinks/store/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
