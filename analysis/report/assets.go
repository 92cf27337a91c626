package report

import (
	"embed"
	"fmt"
	"regexp"
)

//go:embed assets
var assets embed.FS

// banner is a leading comment: its address is no reference, but a page that has none is easier to check.
var banner = regexp.MustCompile(`(?s)^\s*/\*!?.*?\*/`)

func asset(name string) (string, error) {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		return "", fmt.Errorf("read asset: %w", err)
	}
	return banner.ReplaceAllString(string(b), ""), nil
}
