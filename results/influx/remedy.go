package influx

import (
	"fmt"
	"net/http"
	"strings"
)

// noRetention is what 1.8 says, of a write with 500, when the database has no such retention policy: that stays, as if it had said 404.
const noRetention = "retention policy not found"

// meaning is the code that says what an answer means.
func meaning(code int, words string) int {
	if code == http.StatusInternalServerError && strings.Contains(words, noRetention) {
		return http.StatusNotFound
	}
	return code
}

// remedy says what to do about an answer to a write that stays.
func (t Target) remedy(code int, words string) string {
	switch {
	case strings.Contains(words, noRetention):
		return t.retentionRemedy()
	case code == http.StatusUnauthorized:
		return t.whoRemedy()
	case code == http.StatusForbidden:
		return fmt.Sprintf("the token, or user, may not write there: give it write access to bucket %s", t.Bucket)
	case code == http.StatusNotFound:
		return fmt.Sprintf("make bucket %s there (1.8: CREATE DATABASE), or name one that exists; servers before 1.8 have no /api/v2/write", t.Bucket)
	case code/100 == 3:
		return "it sends us elsewhere: name the URL where InfluxDB itself answers"
	case code >= http.StatusInternalServerError:
		return "it cannot take points now: look what it logs, or try again later"
	}
	return fmt.Sprintf("look at what answers at %s", t.URL)
}

// readRemedy says what to do about an answer to a question; "" if that is not known. Code is 200 where the words stand in the answer itself.
func (t Target) readRemedy(code int, words string) string {
	switch {
	case strings.Contains(words, noRetention):
		return t.retentionRemedy()
	case strings.Contains(words, "database not found"):
		return "name a database that is there, by --database or --bucket"
	case code == http.StatusUnauthorized:
		return t.whoRemedy()
	case code == http.StatusForbidden || strings.Contains(words, "not authorized"):
		return fmt.Sprintf("give the token, or user, read access to %s, or take another in INFLUX_TOKEN, or INFLUX_USER and INFLUX_PASSWORD", t.Bucket)
	case code == http.StatusNotFound:
		return fmt.Sprintf("name the URL where InfluxDB itself answers; InfluxDB 2 answers InfluxQL where a database is mapped to bucket %s (influx v1 dbrp create)", t.Bucket)
	case code/100 == 3:
		return "it sends us elsewhere: name the URL where InfluxDB itself answers"
	case code == http.StatusOK:
		return ""
	case code >= http.StatusInternalServerError:
		return "it cannot answer now: look what it logs, or try again later"
	}
	return fmt.Sprintf("look at what answers at %s", t.URL)
}

func (t Target) whoRemedy() string {
	if t.Token == "" {
		return "it wants to know who asks: set INFLUX_TOKEN, or INFLUX_USER and INFLUX_PASSWORD"
	}
	return "it does not know the token, or user and password: put it right in INFLUX_TOKEN, or INFLUX_USER and INFLUX_PASSWORD"
}

func (t Target) retentionRemedy() string {
	database, policy, _ := strings.Cut(t.Bucket, "/")
	return fmt.Sprintf("make retention policy %s of database %s there (CREATE RETENTION POLICY), or name one that exists", policy, database)
}

const certificateRemedy = "name the certificate that signed it by --ca (of run: --influx-ca)"
