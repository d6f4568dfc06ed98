package postgres_test

import (
	"testing"

	"paylinks/store/postgres"
)

func TestNames(t *testing.T) {
	for name, test := range map[string]struct {
		shown    string
		password bool
	}{
		"postgres://":                                            {"postgres://", false},
		"postgres://?service=night":                              {"postgres://?service=night", false},
		"postgres:///db?schema=a":                                {"postgres:///db?schema=a", false},
		"postgresql://clerk@db.example.com/books":                {"postgresql://clerk@db.example.com/books", false},
		"postgres://clerk:pw%2F1@db.example.com:5433/books":      {"postgres://clerk@db.example.com:5433/books", true},
		"postgres://clerk@a:1,b:2/books":                         {"postgres://clerk@a:1,b:2/books", false},
		"postgres://db/books?password=pw&schema=a":               {"postgres://db/books?schema=a", true},
		"postgres://db/books?sslpassword=pw":                     {"postgres://db/books", true},
		"host=db sslpassword=pw":                                 {"host=db", true},
		"host=db user=clerk password='p w' schema=a":             {"host=db user=clerk schema=a", true},
		"connect_timeout=3 host=db password=pw":                  {"connect_timeout=3 host=db", true},
		"sslrootcert = '/a b/c.pem' service=night":               {"sslrootcert='/a b/c.pem' service=night", false},
		"host=db  user = clerk password=pw failover=synchronous": {"host=db user=clerk failover=synchronous", true},
	} {
		if !postgres.IsName(name) {
			t.Errorf("%s is none", name)
		}
		n, err := postgres.ParseName(name)
		if err != nil || n.String() != test.shown || n.HasPassword() != test.password {
			t.Errorf("%s: %q, password %t, %v", name, n, n.HasPassword(), err)
		}
	}
	for _, name := range []string{"ledger.db", "/srv/a=b.db", "./host=x", "a=b.db", "invoices host=x", "file://a", ""} {
		if postgres.IsName(name) {
			t.Errorf("%s is one", name)
		}
	}
	for _, name := range []string{
		"postgres://db/a?schema=", "postgres://db/a?schema=pg_x", "postgres://db/a?schema=a&schema=b", "postgres://db/a?failover=maybe", "postgres://d%zz",
	} {
		if _, err := postgres.ParseName(name); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
