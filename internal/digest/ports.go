package digest

import (
	"context"
	"time"

	"tidings/internal/article"
)

// Digests keeps digests. Store.Digests is the one in use, for Contents and Tests too.
type Digests interface {
	// Create keeps a new digest, or returns ErrMoved when there is one of its ID.
	Create(ctx context.Context, d Digest) error
	// Get returns fault.NotFound for an unknown digest. It is a consistent read.
	Get(ctx context.Context, id string) (Digest, error)
	// List returns at most limit digests, newest first. A cursor that is not its own is fault.Invalid.
	List(ctx context.Context, cursor string, limit int) (List, error)
	// Save stores a digest in place of old, or returns ErrMoved when that is not the stored revision. A slug that old had and d
	// has not is free again.
	Save(ctx context.Context, d, old Digest) error
}

// Contents keeps what is frozen.
type Contents interface {
	// FreeSlug returns the first of a slug's candidates (article.NthSlug) that no digest has.
	FreeSlug(ctx context.Context, slug string) (string, error)
	// Schedule stores a digest in place of its revision rev, with its slug and its frozen content, or nothing and ErrMoved,
	// also when the slug is taken.
	Schedule(ctx context.Context, d Digest, rev int64, f Frozen) error
	// Frozen returns a digest's frozen content, or fault.NotFound.
	Frozen(ctx context.Context, id string) (Frozen, error)
	// Arm notes that the alarm of a digest's version is set. It is no error when the digest has moved on.
	Arm(ctx context.Context, id string, version int64) error
	// Delete removes a digest of a revision with all that belongs to it, or returns ErrMoved.
	Delete(ctx context.Context, id string, rev int64) error
}

// Tests keeps test mails until they are sent.
type Tests interface {
	SaveTest(ctx context.Context, m TestMail) error
}

// Articles reads articles.
type Articles interface {
	// Get returns fault.NotFound for an unknown one.
	Get(ctx context.Context, slug string) (article.Article, error)
}

// A Composer renders digests.
type Composer interface {
	// Compose renders a digest; SES's substitutions stand for what differs from one recipient to the next.
	Compose(d Digest, articles []article.Article) (Content, error)
	// Sample fills the substitutions with sample values, in which no link does anything.
	Sample(c Content) (Content, error)
}

// A Linter checks a digest before it is scheduled.
type Linter interface {
	Lint(c Content, articles []article.Article) []Finding
}

// A Scheduler rings dispatch at an hour.
type Scheduler interface {
	// Once rings once with the payload, at a time in UTC, or as soon as can be when that has passed. An alarm of the name
	// is replaced.
	Once(ctx context.Context, name string, at time.Time, payload []byte) error
	// Delete removes an alarm; it is no error when there is none.
	Delete(ctx context.Context, name string) error
}

// A Queue takes messages for deliver.
type Queue interface {
	Send(ctx context.Context, body []byte, delay time.Duration) error
}

// A Progresser counts what has become of a digest's recipients.
type Progresser interface {
	Progress(ctx context.Context, digest string) (Progress, error)
}
