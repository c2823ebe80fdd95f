package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	contract "example.com/bento-go"
)

// release is the version of a released program, set by the linker.
var release string

// A programVersion says what a program is: built of what, by what, and for which contract.
type programVersion struct {
	Version  string           `json:"version"`
	Go       string           `json:"go"`
	Platform string           `json:"platform"`
	Contract contractRevision `json:"contract"`
}

// A contractRevision names the contract that a program was built with.
type contractRevision struct {
	Version string `json:"version"` // info.version, which changes seldom
	SHA256  string `json:"sha256"`  // of openapi.yaml, which tells any two revisions apart
}

func newVersion(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: "Prints the version of the program, of Go, and of the contract that it was built with: " +
			"info.version of openapi.yaml, and the first twelve digits of the file's SHA-256 (all with --json), " +
			"as sha256sum prints them.",
		Example: "  bentoctl version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v, err := versionOf(contract.OpenAPI())
			if err != nil {
				return err
			}
			if g.json {
				return json.NewEncoder(g.out).Encode(v)
			}
			return v.write(g.out)
		},
	}
}

func versionOf(openAPI []byte) (programVersion, error) {
	var doc struct{ Info struct{ Version string } }
	if err := yaml.Unmarshal(openAPI, &doc); err != nil {
		return programVersion{}, fmt.Errorf("the contract of this program: %w", err)
	}
	sum := sha256.Sum256(openAPI)
	return programVersion{
		Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Contract: contractRevision{doc.Info.Version, hex.EncodeToString(sum[:])},
	}, nil
}

// write keeps the program's version on a line of its own, the first: scripts read it.
func (v programVersion) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "bentoctl %s\n%s %s\ncontract %s, sha256 %.12s\n", v.Version, v.Go, v.Platform, v.Contract.Version, v.Contract.SHA256)
	return err
}

// version is the release's, else the module's as the build recorded it.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
