package store_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"paylinks/store"
	"paylinks/store/contents"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
	"paylinks/store/transfer"
)

func init() {
	helpers["transfer"] = func(args []string) error {
		source, target, err := sides(args)
		if err != nil {
			return err
		}
		result, err := transfer.Run(context.Background(), source, target, func(step transfer.Step, copied, compared int64) {
			fmt.Println(step, copied, compared)
		})
		fmt.Println("ended", result.Already)
		return errors.Join(err, source.Close(), target.Close())
	}
	// The file size limit stands for a full disk: both make a write fail half way.
	helpers["transfer with a full disk"] = func(args []string) error {
		signal.Ignore(syscall.SIGXFSZ)
		source, target, err := sides(args)
		if err != nil {
			return err
		}
		var old syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			return err
		}
		_, err = transfer.Run(context.Background(), source, limited{target, old}, noProgress)
		fmt.Println(err)
		if err == nil {
			return errors.New("the disk was never full")
		}
		if m, err := target.Mark(context.Background()); err != nil || m.State != transfer.Filling || !m.Empty {
			return fmt.Errorf("the target is %+v, %w", m, err)
		}
		if _, err := transfer.Run(context.Background(), source, target, noProgress); err != nil {
			return fmt.Errorf("with room again: %w", err)
		}
		return errors.Join(source.Close(), target.Close())
	}
}

// limited has room for no more than 200,000 bytes in a file while it is filled.
type limited struct {
	transfer.Ledger
	old syscall.Rlimit
}

func (l limited) Fill(ctx context.Context, change transfer.Change, tables contents.Tables, check func(contents.Tables) error) error {
	full := syscall.Rlimit{Cur: 200_000, Max: l.old.Max}
	err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full)
	if err == nil {
		err = l.Ledger.Fill(ctx, change, tables, check)
	}
	return errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l.old))
}

func sides(names []string) (source, target transfer.Ledger, err error) {
	source, err = store.OpenToTransfer(context.Background(), names[0], "", nil)
	if err == nil {
		target, err = madeFor(context.Background(), source, names[1])
	}
	return source, target, err
}

// helped runs a helper, which is killed when it has said what is asked for; "" lets it come to its end.
func helped(t *testing.T, helper, killAt string, args ...string) (said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), helperName+"="+helper, "GORACE=atexit_sleep_ms=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if killAt != "" && strings.HasPrefix(lines.Text(), killAt) && !killed {
			killed = true
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); killed == (err == nil) {
		t.Fatalf("%s: killed: %v, %v\n%s%s", killAt, killed, err, said, stderr.String())
	}
	return said
}

// big is a ledger with one job of so many rows.
func big(t *testing.T, name string, rows int) {
	t.Helper()
	l, err := sendable(name)
	if err != nil {
		t.Fatal(err)
	}
	items := func(yield func(item newItem, err error) bool) {
		for i := range rows {
			item := ledgertest.Invoice(i+2, fmt.Sprintf("INV-%d", i))
			item.New = true
			if !yield(item, nil) {
				return
			}
		}
	}
	if _, err := l.Import(ledgertest.NewJob("big"), items, false, ledgertest.At); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A transfer that is killed in any of its steps leaves one ledger at most that may be sent from, and is gone on with.
func TestTransferKilled(t *testing.T) {
	server := pgtest.Shared(t)
	for _, kind := range []string{"file to database", "database to file"} {
		from, to := newFile(t), server.Ledger(t)
		if kind == "database to file" {
			from, to = to, from
		}
		big(t, from, 5000)
		want := told(t, from)
		for _, at := range []string{"begin", "prepare", "fill 0", "fill 2000", "fill 5000 3000", "leave", "open", "done"} {
			helped(t, "transfer", at, from, to)
			source, target := mayBeSent(t, from), mayBeSent(t, to) && jobsIn(t, to) > 0
			if source && target || at == "done" && !target {
				t.Errorf("%s, killed at %s: the source may be sent from: %v, the target: %v", kind, at, source, target)
			}
		}
		if said := helped(t, "transfer", "", from, to); said != "done 0 0\nended true\n" {
			t.Errorf("at last it said %q", said)
		}
		same(t, to, told(t, to), want)
	}
}

func mayBeSent(t *testing.T, name string) bool {
	l, err := sendable(name)
	if err != nil {
		return false
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	return true
}

func jobsIn(t *testing.T, name string) int {
	t.Helper()
	jobs, err := readable(t, name).Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(jobs)
}

func TestTransferIntoAFullDisk(t *testing.T) {
	from, to := newFile(t), newFile(t)
	big(t, from, 2000)
	want := told(t, from)
	if said := helped(t, "transfer with a full disk", "", from, to); !strings.HasPrefix(said, "fill "+realPath(t, to)+": ") {
		t.Errorf("the error is %q", said)
	}
	same(t, to, told(t, to), want)
}

// The server's disk is full in the middle of the copy.
func TestTransferIntoAFullDatabase(t *testing.T) {
	server := pgtest.Shared(t)
	from, to := newFile(t), server.Ledger(t)
	big(t, from, 2000)
	source, target := both(t, from, to)
	schema := schemaOf(t, to)
	server.Exec(t, "postgres", `
		CREATE FUNCTION `+schema+`.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF NEW.row > 1500 THEN
				RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
			END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER full_disk BEFORE INSERT ON `+schema+`.item FOR EACH ROW EXECUTE FUNCTION `+schema+`.full()`)
	_, err := transfer.Run(t.Context(), source, target, noProgress)
	if err == nil || !strings.Contains(err.Error(), "the disk of the database's server is full") {
		t.Errorf("the error is %v", err)
	}
	if m, err := target.Mark(t.Context()); err != nil || m.State != transfer.Filling || !m.Empty {
		t.Errorf("the target is %+v, %v", m, err)
	}
	server.Exec(t, "postgres", `DROP TRIGGER full_disk ON `+schema+`.item`)
	if _, err := transfer.Run(t.Context(), source, target, noProgress); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// schemaOf is the schema that the ledger's name tells.
func schemaOf(t *testing.T, name string) string {
	t.Helper()
	_, schema, found := strings.Cut(name, "schema=")
	if !found || !postgres.IsName(name) {
		t.Fatalf("%s names no schema", name)
	}
	return schema
}
