package postgres

// Hold keeps a transaction of this sender open, as a process does that is stopped in the middle of one, until release is called. It
// returns when the transaction has begun. ended is closed when the writer goes on.
func (l *Ledger) Hold() (release func(), ended <-chan struct{}) {
	begun, released, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	l.writer.records <- &change{
		do: func(*tx) error {
			select {
			case <-begun:
			default:
				close(begun)
			}
			<-released
			return nil
		},
		ended: func(error) { close(done) },
	}
	<-begun
	return func() { close(released) }, done
}

// Pause stops this sender between two transactions, as a stopped process, until Continue.
func (l *Ledger) Pause() {
	paused := make(chan struct{})
	l.writer.records <- &pause{l, paused}
	<-paused
}

var released = map[*Ledger]chan struct{}{}

// Continue ends a Pause.
func (l *Ledger) Continue() {
	if c, ok := released[l]; ok {
		close(c)
		delete(released, l)
	}
}

// pause is a record of nothing, whose end keeps the writer.
type pause struct {
	l      *Ledger
	paused chan struct{}
}

func (p *pause) done(error) {
	c := make(chan struct{})
	released[p.l] = c
	close(p.paused)
	<-c
}
