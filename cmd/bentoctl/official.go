package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// officialPath is where Bento's own command line keeps its profiles
// (github.com/bentonow/bento-cli, src/core/config.ts).
func officialPath() string {
	if path := os.Getenv("BENTO_CONFIG_PATH"); path != "" {
		return path
	}
	home, _ := os.UserHomeDir()
	dir := os.Getenv("XDG_DATA_HOME")
	switch {
	case runtime.GOOS == "darwin":
		dir = filepath.Join(home, "Library", "Application Support")
	case runtime.GOOS == "windows":
		return filepath.Join(os.Getenv("LOCALAPPDATA"), "bento", "Data", "config.json")
	case dir == "":
		dir = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(dir, "bento", "config.json")
}

// officialProfiles reads the profiles of Bento's own command line, if there are any, and which of
// them is in use. Nothing is ever written there.
func officialProfiles() (profiles map[string]profile, current string, err error) {
	path := officialPath()
	text, mode, err := readConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	var file struct {
		Current  *string `json:"current"`
		Profiles map[string]struct {
			PublishableKey string `json:"publishableKey"`
			SecretKey      string `json:"secretKey"`
			SiteUUID       string `json:"siteUuid"`
		} `json:"profiles"`
	}
	if !json.Valid(text) {
		return nil, "", nil // not ours to complain about
	}
	_ = json.Unmarshal(text, &file) // what is of another shape is left out
	profiles = map[string]profile{}
	for name, p := range file.Profiles {
		if p.SecretKey == "" {
			continue
		}
		if err := private(path, mode); err != nil {
			return nil, "", err
		}
		profiles[name] = profile{PublishableKey: p.PublishableKey, SecretKey: p.SecretKey, SiteUUID: p.SiteUUID}
	}
	if file.Current != nil {
		current = *file.Current
	}
	return profiles, current, nil
}
