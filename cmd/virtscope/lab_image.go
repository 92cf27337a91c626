package main

import (
	"context"
	"fmt"
	"path/filepath"
	"virtscope/experiments/spec"
	"virtscope/results"
	"virtscope/testbed/guest"
	"virtscope/testbed/image"
	"virtscope/testbed/provision"

	"golang.org/x/sys/unix"
)

// A bootable is what guests of one configuration boot.
type bootable struct {
	kernel, initrd string // none with firmware
	cmdline        string // without what names the guest
	// template is the disk that guests begin with; its path is empty where the image has none.
	template provision.Template
}

// imageKey is what tells bootables apart.
func imageKey(s *spec.Experiment) string {
	return fmt.Sprintf("%s %s %s", s.Guest.Image, s.Guest.Kernel, s.Guest.Boot)
}

// bootable is what newLab found for the experiment.
func (l *lab) bootable(s *spec.Experiment) bootable { return l.bootables[imageKey(s)] }

// imageSize is how much the disk of an experiment's image takes, in B: its blocks, since copies keep its holes. 0 is none.
func (l *lab) imageSize(s *spec.Experiment) int64 {
	path := l.bootable(s).template.Path
	if path == "" {
		return 0
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0 // whoever copies it says so
	}
	return st.Blocks * 512
}

// words are the kernel's command line of one guest.
func (b bootable) words(o own) string { return b.cmdline + " " + b.identity(o) }

// identity says who a guest is.
func (b bootable) identity(o own) string {
	return image.AddressParam + "=" + o.nic.Address + " " + image.NameParam + "=" + o.name
}

// makeBootable makes or finds what the experiment's guests boot, once for each that differs.
func (l *lab) makeBootable(ctx context.Context, s *spec.Experiment) error {
	key := imageKey(s)
	if _, ok := l.bootables[key]; ok {
		return nil
	}
	var b bootable
	var err error
	switch s.Guest.Image {
	case imageBuiltin:
		b, err = l.makeBuiltin(ctx, s.Guest)
	case imageDebian:
		b, err = l.makeDebian(ctx, s.Guest)
	default:
		b, err = l.findImage(s.Guest.Image)
	}
	if err != nil {
		return err
	}
	l.bootables[key] = b
	return nil
}

func (l *lab) makeBuiltin(ctx context.Context, g spec.Guest) (bootable, error) {
	kernel, err := image.FindKernel(g.Kernel)
	if err != nil {
		return bootable{}, err
	}
	init, err := image.FindInit(selfPath())
	if err != nil {
		return bootable{}, err
	}
	img, err := image.Build(ctx, image.Options{Kernel: kernel, Init: init, CacheDir: filepath.Join(cacheDir(), "images")})
	if err != nil {
		return bootable{}, err
	}
	b := bootable{kernel: img.Kernel, initrd: img.Initrd, cmdline: image.Append}
	l.addFacts([]results.Fact{
		{Subject: "guest", Name: "kernel", Value: img.Release},
		{Subject: "guest", Name: "image.sha256", Value: img.Hash},
		{Subject: "guest", Name: "kernel.append", Value: b.cmdline + " " + image.AddressParam + "=" + guestAddress},
	})
	return b, b.enterBy(g.Boot)
}

// enterBy takes the uncompressed kernel where that is what is entered.
func (b *bootable) enterBy(boot string) (err error) {
	if boot == guest.BootPVH {
		b.kernel, err = image.Vmlinux(b.kernel, filepath.Join(cacheDir(), "images"))
	}
	return err
}

func (l *lab) makeDebian(ctx context.Context, g spec.Guest) (bootable, error) {
	init, err := image.FindInit(selfPath())
	if err != nil {
		return bootable{}, err
	}
	d, err := image.BuildDebian(ctx, image.DebianOptions{
		Agent: init, Loader: g.Boot == guest.BootFirmware, CacheDir: filepath.Join(cacheDir(), "roots"),
	})
	if err != nil {
		return bootable{}, err
	}
	b := bootable{kernel: d.Kernel, initrd: d.Initrd, cmdline: d.Append, template: provision.Template{Path: d.Disk, Format: d.Format, Size: d.Size}}
	l.addFacts([]results.Fact{
		{Subject: "guest", Name: "kernel", Value: d.Release},
		{Subject: "guest", Name: "debian.sha256", Value: d.Hash},
		{Subject: "guest", Name: "debian.append", Value: d.Append},
		{Subject: "guest", Name: "debian.packages", Value: fmt.Sprintf("%d", len(d.Packages))},
	})
	if g.Boot == guest.BootFirmware {
		b.kernel, b.initrd = "", ""
	}
	return b, b.enterBy(g.Boot)
}

// findImage looks at an image of the user's, which its own loader boots.
func (l *lab) findImage(path string) (bootable, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return bootable{}, err
	}
	format, size, err := image.Inspect(abs)
	if err != nil {
		return bootable{}, fmt.Errorf("guest.image: %w", err)
	}
	l.addFacts([]results.Fact{{Subject: "guest", Name: "image", Value: fmt.Sprintf("%s (%s, %d B)", filepath.Base(abs), format, size)}})
	return bootable{template: provision.Template{Path: abs, Format: format, Size: size}}, nil
}
