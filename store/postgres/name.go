package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Name says where a ledger is: a URL (postgres://…) or key=value pairs as libpq has them, and the schema in that database.
type Name struct {
	text        string // as it was given, without our own options
	schema      string
	synchronous bool // a failover loses nothing that was acknowledged: the timeline may change
	shown       string
}

// DefaultSchema is the schema where the name tells of none.
const DefaultSchema = "paylinks"

// IsName says whether the ledger's name is one of a database. What has the form of a path is none.
func IsName(name string) bool {
	scheme, _, found := strings.Cut(name, "://")
	if found {
		return strings.EqualFold(scheme, "postgres") || strings.EqualFold(scheme, "postgresql")
	}
	return pairs.MatchString(name)
}

// pairs tells a DSN of key=value pairs from a path: it has a key that libpq knows, and before that nothing but pairs.
var pairs = regexp.MustCompile(`^\s*(?:[A-Za-z_]+\s*=\s*(?:'(?:[^'\\]|\\.)*'|\S+)\s+)*` +
	`(host|hostaddr|port|dbname|database|user|password|passfile|service|servicefile|sslmode|schema|target_session_attrs|application_name)\s*=`)

// ParseName reads a name. Our own options are taken out of it: schema, and failover=synchronous. The error repeats no password.
func ParseName(text string) (Name, error) {
	n := Name{schema: DefaultSchema}
	options := map[string]string{}
	var err error
	if strings.Contains(text, "://") {
		n.text, n.shown, err = takeFromURL(text, options)
	} else {
		n.text, n.shown = takeFromPairs(text, options)
	}
	if err != nil {
		return n, err
	}
	if schema, given := options["schema"]; given {
		if schema == "" || len(schema) > 63 || strings.HasPrefix(schema, "pg_") || strings.ContainsAny(schema, "\x00\"{}") {
			return n, fmt.Errorf("schema %q is no name of a schema", schema)
		}
		n.schema = schema
	}
	switch failover, given := options["failover"]; {
	case !given:
	case failover == "synchronous":
		n.synchronous = true
	default:
		return n, fmt.Errorf("failover=%s: the one kind that can be told is failover=synchronous", failover)
	}
	return n, nil
}

// takeFromURL takes our options out of a URL. shown is the URL as it may be shown, with them and without a password.
func takeFromURL(text string, options map[string]string) (rest, shown string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", errors.New("the URL of the ledger cannot be read; in a user name, write reserved characters as %XX")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", "", errors.New("the URL of the ledger has options that cannot be read: separate them by &, and write reserved characters as %XX")
	}
	safe := *u
	if u.User != nil {
		safe.User = url.User(u.User.Username())
	}
	safeQuery := url.Values{}
	for key, values := range query {
		if key == "schema" || key == "failover" {
			if len(values) > 1 {
				return "", "", fmt.Errorf("the URL of the ledger has %s twice", key)
			}
			options[key] = values[0]
			query.Del(key)
		}
		if !isPassword(key) {
			safeQuery[key] = values
		}
	}
	u.RawQuery, safe.RawQuery = query.Encode(), safeQuery.Encode()
	return written(u), written(&safe), nil
}

// written is the URL as text. One without a host keeps its slashes, which tell it from key=value pairs.
func written(u *url.URL) string {
	text := u.String()
	if rest := strings.TrimPrefix(text, u.Scheme+":"); !strings.HasPrefix(rest, "//") {
		return u.Scheme + "://" + rest
	}
	return text
}

// pair is one key=value of a DSN; a value may stand in single quotes.
var pair = regexp.MustCompile(`\s*([A-Za-z_]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\']|\\.)*)\s*`)

func takeFromPairs(text string, options map[string]string) (rest, shown string) {
	var kept, safe []string
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		key, value := m[1], m[2]
		if key == "schema" || key == "failover" {
			options[key] = strings.Trim(value, "'")
		} else {
			kept = append(kept, key+"="+value)
		}
		if !isPassword(key) {
			safe = append(safe, key+"="+value)
		}
	}
	return strings.Join(kept, " "), strings.Join(safe, " ")
}

// HasPassword says whether the name itself has a password in it, which whoever may list processes can read.
func (n Name) HasPassword() bool {
	if u, err := url.Parse(n.text); err == nil && strings.Contains(n.text, "://") {
		_, has := u.User.Password()
		for key := range u.Query() {
			has = has || isPassword(key)
		}
		return has
	}
	for _, m := range pair.FindAllStringSubmatch(n.text, -1) {
		if isPassword(m[1]) {
			return true
		}
	}
	return false
}

// isPassword says whether the option is the role's password, or that of the key of its certificate.
func isPassword(option string) bool { return option == "password" || option == "sslpassword" }

// String is the name as it may be shown: without a password.
func (n Name) String() string { return n.shown }

// config is the connection's configuration, with the exec mode that a pooler allows unless the name says otherwise. The error repeats no
// password.
func (n Name) config() (*pgxpool.Config, error) {
	cfg, err := pgxpool.ParseConfig(n.text)
	if err != nil {
		if parse, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
			return nil, fmt.Errorf("the name of the ledger: %w", parse)
		}
		return nil, err
	}
	if !strings.Contains(n.text, "default_query_exec_mode") {
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	delete(cfg.ConnConfig.RuntimeParams, "application_name") // a pooler may refuse startup parameters
	cfg.ConnConfig.RuntimeParams["datestyle"] = "ISO"        // which poolers know, and without which no time could be read
	return cfg, nil
}
