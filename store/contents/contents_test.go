package contents_test

import (
	"errors"
	"iter"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"paylinks/store/contents"
)

func of[T any](rows ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func tables() contents.Tables {
	return contents.Tables{
		Jobs: of[contents.Job](), LinksFiles: of[contents.LinksFile](), Paces: of[contents.Pace](), Items: of[contents.Item](),
		Lines: of[contents.Line](), Attempts: of[contents.Attempt](),
	}
}

func sum(t *testing.T, tables contents.Tables) contents.Digests {
	t.Helper()
	d, err := tables.Sum(func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// each changes one field of a row after the other, and wants another digest each time.
func each[T any](t *testing.T, in func(T) contents.Tables) {
	t.Helper()
	var zero T
	before := sum(t, in(zero))
	kind := reflect.TypeFor[T]()
	for i := range kind.NumField() {
		row := reflect.New(kind).Elem()
		field := row.Field(i)
		switch value := field.Interface().(type) {
		case string:
			field.SetString("x")
		case int64:
			field.SetInt(1)
		case bool:
			field.SetBool(true)
		case float64:
			field.SetFloat(0.5)
		case []byte:
			field.SetBytes([]byte{})
		case time.Time:
			field.Set(reflect.ValueOf(time.UnixMilli(0)))
		case *int64:
			field.Set(reflect.ValueOf(new(int64)))
		default:
			t.Fatalf("%s is a %T", kind.Field(i).Name, value)
		}
		if sum(t, in(row.Interface().(T))) == before {
			t.Errorf("%s: another %s has the same digest", kind, kind.Field(i).Name)
		}
	}
}

func TestDigestsHaveEveryField(t *testing.T) {
	each(t, func(j contents.Job) contents.Tables { all := tables(); all.Jobs = of(j); return all })
	each(t, func(f contents.LinksFile) contents.Tables { all := tables(); all.LinksFiles = of(f); return all })
	each(t, func(p contents.Pace) contents.Tables { all := tables(); all.Paces = of(p); return all })
	each(t, func(i contents.Item) contents.Tables { all := tables(); all.Items = of(i); return all })
	each(t, func(l contents.Line) contents.Tables { all := tables(); all.Lines = of(l); return all })
	each(t, func(a contents.Attempt) contents.Tables { all := tables(); all.Attempts = of(a); return all })
}

func TestCompare(t *testing.T) {
	all := tables()
	all.Items = of(contents.Item{Job: 1, Place: 1}, contents.Item{Job: 1, Place: 2})
	read := sum(t, all)
	all.Items = of(contents.Item{Job: 1, Place: 2}, contents.Item{Job: 1, Place: 1})
	var differ *contents.DifferError
	if err := read.Compare(sum(t, all)); !errors.As(err, &differ) || differ.Table != "rows" {
		t.Errorf("another order: %v", err)
	}
	if err := read.Compare(read); err != nil {
		t.Error(err)
	}
}

// An output path belongs to its host, and a database takes no NUL.
func TestIn(t *testing.T) {
	all := tables()
	all.Jobs = of(contents.Job{ID: 1, Output: "/a", OutputHost: "here", Written: true}, contents.Job{ID: 2, Output: "/b", OutputHost: "there", Written: true},
		contents.Job{ID: 3, Output: "-"}, contents.Job{ID: 4, File: "a\x00b\xff"})
	all.LinksFiles = of(contents.LinksFile{Host: "here", Path: "/a"}, contents.LinksFile{Host: "there", Path: "/b"})
	all.Paces = of(contents.Pace{Environment: "sandbox"})
	var left []contents.Left
	in := all.In(contents.Form{Host: "here", Texts: true}, func(l contents.Left) { left = append(left, l) })
	var jobs []contents.Job
	for j, err := range in.Jobs {
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	want := []contents.Job{
		{ID: 1, Output: "/a", OutputHost: "here", Written: true}, {ID: 2}, {ID: 3, Output: "-"}, {ID: 4, File: "a\uFFFDb\uFFFD"},
	}
	if !reflect.DeepEqual(jobs, want) || !slices.Equal(left, []contents.Left{{Job: 2, Host: "there", Path: "/b"}}) {
		t.Errorf("%+v, %+v", jobs, left)
	}
	if d := sum(t, in); d.LinksFiles.Rows != 1 || d.Paces.Rows != 0 {
		t.Errorf("%d links files, %d paces", d.LinksFiles.Rows, d.Paces.Rows)
	}
}

func TestRecount(t *testing.T) {
	all := tables()
	all.Items = of(contents.Item{Job: 1, State: "created", Currency: "USD", Amount: 7}, contents.Item{Job: 1, State: "created", Currency: "USD", Amount: 8})
	all.Attempts = of(contents.Attempt{Job: 1, Outcome: "created"})
	counted, recount := all.Counted()
	sum(t, counted)
	recount.Kept(contents.Tally{Job: 1, Word: "created", Currency: "USD"}, 2, big.NewInt(15))
	if err := recount.Differs(); !errors.Is(err, contents.ErrTallies) {
		t.Errorf("an attempt too few: %v", err)
	}
	recount.Kept(contents.Tally{Job: 1, Attempts: true, Word: "created"}, 1, new(big.Int))
	if err := recount.Differs(); err != nil {
		t.Error(err)
	}
}
