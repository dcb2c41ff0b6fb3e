package app

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"time"

	"github.com/caarlos0/env/v11"
)

// The settings of the functions, in groups. A function's configuration is a struct of the groups it reads and nothing
// else; a test compares each with the function's environment in template.yaml, both ways.
type (
	// Site is what pages and mails say about the sender.
	Site struct {
		BaseURL       string `env:"BASE_URL,required"`       // public origin of every link, https except on loopback
		SiteName      string `env:"SITE_NAME,required"`      // the clinic's name
		PostalAddress string `env:"POSTAL_ADDRESS,required"` // in every digest (15 USC 7704(a)(5))
	}
	// Storage names the table.
	Storage struct {
		TableName string `env:"TABLE_NAME,required"`
	}
	// Secrets names the SSM SecureString that holds the keys: a JSON document, see Keys.
	Secrets struct {
		KeysParameter string `env:"KEYS_PARAMETER,required"`
	}
	// PublicForm is who may post the public form, and how often.
	PublicForm struct {
		AllowedOrigins   []string `env:"ALLOWED_ORIGINS"`                     // exact origins for CORS
		SignupsPerIPHour int      `env:"SIGNUPS_PER_IP_HOUR" envDefault:"60"` // one IPv4 address or IPv6 /64
	}
	// AnswerLimit bounds the mails that sign-ups cause; the worker counts them, since it alone knows what is mailed.
	AnswerLimit struct {
		SignupsPerDay int `env:"SIGNUPS_PER_ADDRESS_DAY" envDefault:"3"` // confirmation mails to one address
	}
	// MailQueue is the queue of single mails: to one person, and tests.
	MailQueue struct {
		MailQueueURL string `env:"MAIL_QUEUE_URL,required"`
	}
	// ShardQueue is the queue of a digest's shards.
	ShardQueue struct {
		ShardQueueURL string `env:"SHARD_QUEUE_URL,required"`
	}
	// Events are the queue of SES's events and its dead-letter queue, which the witness looks at.
	Events struct {
		EventsQueueURL string `env:"EVENTS_QUEUE_URL,required"`
		EventsDLQURL   string `env:"EVENTS_DLQ_URL,required"`
	}
	// Sending is how mail leaves.
	Sending struct {
		FromBulk         string `env:"FROM_BULK,required"`     // digests: `Name <address>`
		FromTransact     string `env:"FROM_TRANSACT,required"` // confirmations, kept apart from bulk (Gmail's sender guidelines)
		ReplyTo          string `env:"REPLY_TO"`
		ConfigurationSet string `env:"CONFIGURATION_SET,required"`
	}
	// Schedules is where EventBridge schedules live and what they invoke.
	Schedules struct {
		ScheduleGroup   string `env:"SCHEDULE_GROUP,required"`
		ScheduleRoleARN string `env:"SCHEDULE_ROLE_ARN,required"`
		DispatchARN     string `env:"DISPATCH_ARN,required"`
		ScheduleDLQARN  string `env:"SCHEDULE_DLQ_ARN,required"`
	}
	// Identity is the issuer whose tokens editors carry.
	Identity struct {
		OIDCIssuer      string `env:"OIDC_ISSUER,required"`
		OIDCClientID    string `env:"OIDC_CLIENT_ID,required"`
		OIDCGroupsClaim string `env:"OIDC_GROUPS_CLAIM" envDefault:"cognito:groups"`
	}
	// Calendar is the list's own time zone.
	Calendar struct {
		TimeZone string `env:"TIME_ZONE" envDefault:"UTC"` // IANA
	}
	// Ledger is how a digest is cut and sent.
	Ledger struct {
		// IndexLag is how long before the start a confirmation must be to be surely visible in the audience index.
		IndexLag time.Duration `env:"INDEX_LAG" envDefault:"60s"`
	}
)

// The configuration of each function.
type (
	// SignupConfig configures signup.
	SignupConfig struct {
		Site
		Storage
		Secrets
		PublicForm
		MailQueue
	}
	// PreferencesConfig configures preferences.
	PreferencesConfig struct {
		Site
		Storage
		Secrets
		MailQueue
	}
	// ContentConfig configures content.
	ContentConfig struct {
		Site
		Storage
	}
	// EditorConfig configures editor.
	EditorConfig struct {
		Site
		Storage
		Secrets
		Identity
		MailQueue
		Schedules
		Calendar
	}
	// ComposeConfig configures compose.
	ComposeConfig struct {
		Storage
		Schedules
		Calendar
	}
	// DispatchConfig configures dispatch.
	DispatchConfig struct {
		Storage
		ShardQueue
		Schedules
		Ledger
	}
	// DeliverConfig configures deliver.
	DeliverConfig struct {
		Site
		Storage
		Secrets
		AnswerLimit
		ShardQueue
		Events
		Sending
	}
	// FeedbackConfig configures feedback.
	FeedbackConfig struct {
		Storage
	}
)

// checker is a group that has rules beyond presence.
type checker interface{ check() error }

// load fills a configuration from the environment and reports every problem of it together.
func load[T any](environ map[string]string) (T, error) {
	cfg, err := env.ParseAsWithOptions[T](env.Options{Environment: environ})
	if err != nil {
		return cfg, fmt.Errorf("configuration: %w", err)
	}
	if c, ok := any(cfg).(interface{ groups() []checker }); ok {
		var all []error
		for _, g := range c.groups() {
			all = append(all, g.check())
		}
		if err := errors.Join(all...); err != nil {
			return cfg, fmt.Errorf("configuration: %w", err)
		}
	}
	return cfg, nil
}

func (c SignupConfig) groups() []checker      { return []checker{c.Site} }
func (c PreferencesConfig) groups() []checker { return []checker{c.Site} }
func (c ContentConfig) groups() []checker     { return []checker{c.Site} }
func (c EditorConfig) groups() []checker      { return []checker{c.Site, c.Calendar} }
func (c ComposeConfig) groups() []checker     { return []checker{c.Calendar} }
func (c DeliverConfig) groups() []checker     { return []checker{c.Site, c.Sending} }

func (s Site) check() error {
	u, err := url.Parse(s.BaseURL)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		return fmt.Errorf("BASE_URL %q is not an origin such as https://news.example.org", s.BaseURL)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return fmt.Errorf("BASE_URL %q must be https (plain http only on loopback)", s.BaseURL)
	}
	return nil
}

// loopback reports whether a host name means this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (s Sending) check() error {
	var all []error
	for name, v := range map[string]string{"FROM_BULK": s.FromBulk, "FROM_TRANSACT": s.FromTransact, "REPLY_TO": s.ReplyTo} {
		if v == "" {
			continue // presence is the tag's business
		}
		if _, err := mail.ParseAddress(v); err != nil {
			all = append(all, fmt.Errorf("%s is not a mail address such as Clinic <news@example.org>", name))
		}
	}
	return errors.Join(all...)
}

func (c Calendar) check() error {
	if _, err := time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" {
		return fmt.Errorf("TIME_ZONE %q is not an IANA time zone such as America/Denver", c.TimeZone)
	}
	return nil
}
