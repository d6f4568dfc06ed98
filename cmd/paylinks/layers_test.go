package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers lists each package with the packages of ours that it may import. Data walks one way, and imports go down
// only.
var layers = map[string][]string{
	"cmd/bench":                 {"clink/simulator", "store/postgres/pgtest"},
	"cmd/paylinks":              {"cmd/paylinks/eventlog", "cmd/paylinks/exit", "cmd/paylinks/helptext", "cmd/paylinks/options", "cmd/paylinks/profile", "cmd/paylinks/progress", "cmd/paylinks/report", "cmd/paylinks/words", "store", "store/transfer", "job", "job/intake", "job/engine", "job/metrics", "job/invoice", "job/links", "clink", "clink/simulator"},
	"cmd/paylinks/eventlog":     {"job", "job/engine"},
	"cmd/paylinks/exit":         {"cmd/paylinks/helptext", "cmd/paylinks/report", "cmd/paylinks/words", "job", "job/engine", "job/intake", "job/links", "store/contents", "store/transfer"},
	"cmd/paylinks/helptext":     {},
	"cmd/paylinks/options":      {"cmd/paylinks/exit", "cmd/paylinks/helptext", "cmd/paylinks/profile", "cmd/paylinks/words", "store", "job", "job/engine", "job/intake", "job/invoice", "job/links", "job/metrics"},
	"cmd/paylinks/profile":      {},
	"cmd/paylinks/progress":     {"cmd/paylinks/words", "job", "job/engine"},
	"cmd/paylinks/report":       {"cmd/paylinks/words", "job", "job/engine", "job/intake", "job/invoice", "store/transfer"},
	"cmd/paylinks/words":        {"job"},
	"store":                     {"store/postgres", "store/sqlite", "store/transfer", "job"},
	"store/contents":            {},
	"store/transfer":            {"store/contents", "job"},
	"store/ledgertest":          {"job", "clink"},
	"store/postgres":            {"store/contents", "store/transfer", "job", "job/ahead", "clink"},
	"store/postgres/pgtest":     {},
	"store/sqlite":              {"store/contents", "store/transfer", "job", "job/ahead", "clink"},
	"job/metrics":               {"job", "job/engine", "job/links"},
	"job/engine":                {"job", "job/ahead", "job/links", "clink", "clink/simulator"},
	"job/intake":                {"job", "job/ahead", "job/invoice", "job/links"},
	"job/links":                 {"job/invoice", "clink", "clink/simulator"},
	"job":                       {"job/invoice", "clink"},
	"job/ahead":                 {},
	"job/invoice":               {"job/ahead", "job/invoice/xlsx"},
	"job/invoice/xlsx":          {},
	"job/invoice/xlsx/xlsxtest": {},
	"clink":                     {},
	"clink/simulator":           {},
}

// TestLayers guards the design's layers: who may import whom, which libraries the client may need,
// that SQL stands in the ledgers alone, and that only cmd prints, reads the environment or exits.
func TestLayers(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		seen[folder] = true
		allowed, known := layers[folder]
		if !known {
			t.Errorf("%s: package %s is in no layer", path, folder)
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			checkImport(t, path, folder, imported, allowed)
		}
		if !strings.HasPrefix(folder, "cmd/") && folder != "store/postgres/pgtest" { // which serves tests alone
			checkSilent(t, path, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range slices.Sorted(maps.Keys(layers)) {
		if !seen[folder] {
			t.Errorf("there is no package %s any more", folder)
		}
	}
}

func checkImport(t *testing.T, path, folder, imported string, allowed []string) {
	t.Helper()
	if own, ours := strings.CutPrefix(imported, "paylinks/"); ours {
		if !slices.Contains(allowed, own) {
			t.Errorf("%s imports %s, which is not below it", path, own)
		}
		return
	}
	if first, _, _ := strings.Cut(imported, "/"); folder == "clink" && strings.Contains(first, ".") && imported != "github.com/cockroachdb/apd/v3" {
		t.Errorf("%s imports %s: the client needs the standard library and the decimal library alone", path, imported)
	}
	if folder != "store/sqlite" && (imported == "database/sql" || strings.Contains(imported, "sqlite")) {
		t.Errorf("%s imports %s: SQL stands in the ledgers alone", path, imported)
	}
}

// checkSilent refuses what belongs into cmd: printing, reading the environment, exiting.
func checkSilent(t *testing.T, path string, file *ast.File) {
	t.Helper()
	banned := map[string][]string{
		"os":  {"Getenv", "LookupEnv", "Environ", "Exit", "Stdout", "Stderr", "Stdin"},
		"fmt": {"Print", "Printf", "Println"},
		"log": {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln"},
	}
	ast.Inspect(file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if from, ok := selector.X.(*ast.Ident); ok && slices.Contains(banned[from.Name], selector.Sel.Name) {
			t.Errorf("%s uses %s.%s, which belongs into cmd", path, from.Name, selector.Sel.Name)
		}
		return true
	})
}

// withoutFlags are folders whose packages serve a web page as well as the command line.
var withoutFlags = []string{"clink", "job", "store"}

var commandOrFlag = regexp.MustCompile(`--[a-z]|--$|\bpaylinks (run|check|resume|retry|jobs|show|export|refresh|reissue|backup|purge|` +
	`adopt|profiles|transfer|serve|user|simulator)\b`)

// TestNoFlagNames guards that only cmd names commands and flags: no string in the packages below it does.
func TestNoFlagNames(t *testing.T) {
	for _, folder := range withoutFlags {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			if filepath.Base(filepath.Dir(path)) == "pgtest" { // it starts programs of PostgreSQL, with flags of theirs
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err != nil || commandOrFlag.MatchString(text) {
						t.Errorf("%s: %s names a command or flag", path, literal.Value)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
