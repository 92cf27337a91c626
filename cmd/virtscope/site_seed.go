package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"virtscope/testbed/image"

	"golang.org/x/crypto/ssh"
)

// keys let the user log in to the guests of a run that boot an image of their own.
type keys struct {
	public string // a line of authorized_keys
}

// runKeys makes the run's key pair, once; the private half lies beside the run's trials.
func (s *site) runKeys() (*keys, error) {
	if s.lab.keys != nil {
		return s.lab.keys, nil
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the run's ssh key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "virtscope run "+s.lab.id.name)
	if err != nil {
		return nil, fmt.Errorf("make the run's ssh key: %w", err)
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("make the run's ssh key: %w", err)
	}
	path := filepath.Join(filepath.Dir(filepath.Dir(s.dir)), "id_ed25519")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, fmt.Errorf("keep the run's ssh key: %w", err)
	}
	s.lab.keys = &keys{public: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line)))}
	return s.lab.keys, nil
}

// makeSeed makes what cloud-init in an image of the user's reads: the guest's name, its address and who may log in.
func (s *site) makeSeed(o own) (string, error) {
	k, err := s.runKeys()
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.large, o.name+"-seed.iso")
	err = image.MakeSeed(path, image.Seed{
		Hostname: o.name, InstanceID: s.lab.id.name + "-" + s.trial.ID + "-" + o.name, User: s.trial.Spec.Guest.User,
		Keys: []string{k.public}, Address: o.nic.Address, MAC: o.nic.MAC,
	})
	if err != nil {
		return "", fmt.Errorf("make the seed of %s: %w", o.name, err)
	}
	return path, nil
}
