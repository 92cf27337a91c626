package spec

import "net/url"

// Influx is an InfluxDB that a run's records may be shipped to. No secret stands in a file of the language.
type Influx struct {
	// URL of the server, such as http://localhost:8086; no user, no query. Else INFLUX_URL of the environment. Default: none.
	URL string `yaml:"url,omitempty" json:"url,omitempty"`
	// Org of InfluxDB 2. Else INFLUX_ORG of the environment. Default: none.
	Org string `yaml:"org,omitempty" json:"org,omitempty"`
	// Bucket of InfluxDB 2 or 3, or database/retention-policy of 1.8. Else INFLUX_BUCKET of the environment. Default: none.
	Bucket string `yaml:"bucket,omitempty" json:"bucket,omitempty"`
	// Database of InfluxDB 1.8, in bucket's place. Default: none.
	Database string `yaml:"database,omitempty" json:"database,omitempty"`
	// Retention policy of the database. Without it, the database's own. Default: none.
	Retention string `yaml:"retention,omitempty" json:"retention,omitempty"`
	// User of InfluxDB 1.8; the password is INFLUX_PASSWORD of the environment. Else INFLUX_USER of the environment. Default: none.
	User string `yaml:"user,omitempty" json:"user,omitempty"`
	// TokenFile holds the token (1.8: user:password), and only its owner may read it. Else INFLUX_TOKEN of the environment. Default: none.
	TokenFile string `yaml:"token-file,omitempty" json:"token-file,omitempty"`
	// CA is a file of certificates in PEM that are trusted beside the system's. Default: none.
	CA string `yaml:"ca,omitempty" json:"ca,omitempty"`
	// Gzip of what is sent: on, off, or auto (unless the server is this machine). Default: auto.
	Gzip string `yaml:"gzip" json:"gzip" jsonschema:"enum=auto,enum=on,enum=off"`
	// Series that a run may make there: plan and run --influx refuse one that may make more. Default: 100000.
	Series int `yaml:"series" json:"series" jsonschema:"minimum=1,maximum=1000000000"`
}

// DefaultInflux is an InfluxDB with every default filled in.
func DefaultInflux() Influx { return Influx{Gzip: "auto", Series: 100_000} }

// InfluxSeries is how many series a run may make in InfluxDB; ok is false if the experiment names none.
func (e *Experiment) InfluxSeries() (limit int, ok bool) {
	if e.Influx == nil {
		return 0, false
	}
	return e.Influx.Series, true
}

// influx checks what the experiment says of InfluxDB.
func (c *checker) influx() {
	i := c.e.Influx
	if i == nil || c.reported.bad["influx"] {
		return
	}
	if i.URL != "" && !isServer(i.URL) {
		// Without its value, which may hold a password.
		c.at(c.root.find("influx.url"), "influx.url", "", "want the server's address without user and query, such as http://localhost:8086")
	}
	if i.Bucket != "" && i.Database != "" {
		c.want("want a bucket (InfluxDB 2, 3) or a database (1.8), not both", "influx.database", "influx.bucket")
	}
	if i.Retention != "" && i.Database == "" {
		c.want("want a database with it", "influx.retention")
	}
	if i.User != "" && i.TokenFile != "" {
		c.want("want a user or a token, not both", "influx.token-file", "influx.user")
	}
}

func isServer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}
