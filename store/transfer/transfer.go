// Package transfer moves all that a ledger has into another one, of either kind, so that at no moment both may be sent from.
//
// Each ledger has a [Mark] on record. A transfer is a row of guarded changes of these: the source is marked moving, the target filling; the
// target is filled and compared in one transaction, which marks it filled; the source is marked moved, and the target opened. [Next] says
// from the two marks what comes next, so that a transfer that was interrupted goes on wherever it stopped.
package transfer
