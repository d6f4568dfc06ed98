package job

// Left are how many of a job's items are moved by whom.
type Left struct {
	Sendable  int     // by a runner
	InDoubt   int     // by a person: Clink may have made a session for them, and the policy is [Hold] or their attempts are used up
	Unsettled int     // by a person: another job's link for their invoice has ended, and Clink does not say whether it was paid
	Held      int     // by a person, in HeldBy: another job's item of their invoice is in doubt, or has their link, which is unsettled
	HeldBy    []int64 // jobs, in ascending order

	// FailedInDoubt are failed items under [Hold] that Clink may have made a session for: a person's word is needed to send them again.
	FailedInDoubt int

	// LinksUnsettled are created items whose link has ended, and of which Clink does not say whether it was paid: a person's word is
	// needed to replace it. The duplicates of such a link in another job are among Held.
	LinksUnsettled int
}
