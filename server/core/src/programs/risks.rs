//! Programs by what a wildcard behind their name could do.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What a wildcard behind a program's name could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Risk {
    /// Runs the code it is given, from standard input too.
    RunsCode,
    /// Runs the program it is given.
    Launches,
    /// Fetches and runs, or installs, packages.
    RunsPackages,
    /// Runs a task that a file of the project defines.
    RunsTasks,
    /// Runs commands on another machine.
    Remote,
    /// Runs commands in a container or a virtual machine.
    Container,
    /// Starts another coding agent.
    StartsAgent,
    /// Sends or fetches over the network.
    Network,
    /// Reads any file, credentials too.
    Reads,
    /// Writes, moves or deletes any file.
    Writes,
    /// Changes infrastructure, services or accounts.
    Infrastructure,
    /// Changes version control, local and remote, and runs what it configures.
    VersionControl,
}

impl Risk {
    /// The risk in words that follow the program's name.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::RunsCode => "runs any code it is given",
            Self::Launches => "runs any program it is given",
            Self::RunsPackages => "fetches and runs packages",
            Self::RunsTasks => "runs any task that a file of the project defines",
            Self::Remote => "runs commands on other machines",
            Self::Container => "runs commands in containers and mounts what it is told to",
            Self::StartsAgent => "starts another coding agent",
            Self::Network => "sends data to any host",
            Self::Reads => "reads any file, credentials too",
            Self::Writes => "writes or deletes files outside the workspace",
            Self::Infrastructure => "publishes, or changes services and infrastructure",
            Self::VersionControl => {
                "changes history and remotes, and runs what its configuration names"
            }
        }
    }
}

/// Names without version: `python3.12` is looked up as `python` too.
const TABLE: &[(Risk, &str)] = &[
    (
        Risk::RunsCode,
        ". ash at awk bash batch bc bun clojure cmd crontab csh dash dc deno ed elixir emacs erl eval \
         ex expect fish gawk gdb ghci groovy gsed guile helix hx iex irb jq jshell julia ksh lldb lua \
         luajit m4 mawk mksh mongosh mysql nano nawk nft node nodejs nu nvim ocaml octave osascript \
         perl php posh powershell psql pwsh pypy python r racket raku rbash rscript ruby runghc sbcl \
         scala scheme sed sh source sqlite swift tclsh tcsh trap ts-node tsx vi vim wish xonsh yash \
         zsh",
    ),
    (
        Risk::Launches,
        "alias arch bind builtin busybox caffeinate chpst chroot chrt command complete coproc \
         dbus-run-session direnv doas dotenv enable entr env exec fakeroot faketime fd fdfind find \
         firejail flock gosu hyperfine ionice ld-linux-x86-64.so ld.so less ltrace man more nice \
         noglob nohup nsenter open parallel perf pkexec prlimit proot rlwrap run0 runuser screen \
         script setarch setpgid setpriv setsid start start-stop-daemon stdbuf strace su su-exec sudo \
         systemd-run taskset time timeout tini tmux torsocks toybox unbuffer unshare valgrind watch \
         watchexec xargs xdg-open xdotool xvfb-run",
    ),
    (
        Risk::RunsPackages,
        "apk apt apt-get aptitude asdf brew bundle bunx cabal cargo choco composer conda corepack \
         dart devbox dlx dnf dotnet dpkg easy_install flatpak flutter fnm gem go hatch helm luarocks \
         mamba micromamba mise mix nix nix-env nix-shell nox npm npx nvm opam pacman pdm pip pipenv \
         pipx pixi pkg pnpm pnpx poetry port pub rebar rustup rye snap stack tox uv uvx volta winget \
         yarn yum zypper",
    ),
    (
        Risk::RunsTasks,
        "act ant bazel bazelisk buck cmake ctest cypress eslint gmake gradle gradlew grunt gulp husky \
         invoke jest just lefthook lerna mage make meson mocha mvn mvnw ninja nx phpunit playwright \
         pre-commit prettier pytest rake rollup rspec sbt scons task tsc turbo vite vitest webpack \
         xcodebuild",
    ),
    (
        Risk::Remote,
        "ansible ansible-playbook autossh cap fab mosh plink pssh rlogin rsh salt ssh sshpass telnet",
    ),
    (
        Risk::Container,
        "apptainer buildah colima containerd crictl ctr devcontainer distrobox docker docker-compose \
         docker-machine lima limactl lxc lxd multipass nerdctl podman podman-compose qemu runc \
         singularity skopeo systemd-nspawn toolbox vagrant virsh wsl",
    ),
    (
        Risk::StartsAgent,
        "aichat aider amp auggie claude cline code codex continue copilot crush cursor cursor-agent \
         droid gemini goose kilocode kiro llm opencode openhands q qwen qwen-code roo windsurf zed",
    ),
    (
        Risk::Network,
        "aria2c axel cloudflared croc curl curlie dig drill fetch ftp grpcurl host http httpie https \
         iperf ldapsearch lftp lynx magic-wormhole mail mailx mosquitto_pub mutt nc ncat netcat ngrok \
         nmap nslookup openssl ping ping6 rclone redis-cli rsync scp sendmail sftp smbclient socat \
         tftp traceroute w3m websocat wget wget2 whois wormhole xh",
    ),
    (
        Risk::Infrastructure,
        "age argocd aws az bw cdk certbot chsh consul countersign createdb defaults doctl dropdb \
         eksctl fastlane fdisk firebase flux fly flyctl gcloud gh glab gpg gsutil halt heroku hub \
         ifconfig init insmod ip iptables istioctl journalctl k3s k9s kill killall kind kubectl \
         kustomize launchctl loginctl minikube mkfs modprobe mongod mount netlify nomad oc op packer \
         parted pass passwd pg_restore pkill poweroff pulumi railway reboot redis-server render sam \
         security serverless service shutdown skaffold sls sops stripe supabase sysctl systemctl \
         terraform terragrunt tofu twine ufw umount useradd userdel usermod vault vercel visudo \
         wrangler xkill",
    ),
    (
        Risk::VersionControl,
        "bzr cvs darcs fossil git gitk gt hg jj lazygit pijul repo sl svn tig",
    ),
    (
        Risk::Reads,
        "ack ag b2sum base32 base64 bat batcat bzcat cat cksum cloc cmp column comm cut delta diff \
         difft egrep expand fgrep file fmt fold fx glow grep gron head hexdump hexyl iconv jless join \
         look md5sum nl od paste pr printenv rev rg ripgrep sha1sum sha224sum sha256sum sha384sum \
         sha512sum shuf sort strings sum tac tail tokei uniq xmllint xxd xzcat yq zcat zgrep",
    ),
    (
        Risk::Writes,
        "7z 7za ar as black bsdtar bunzip2 bzip2 c++ cc chattr chgrp chmod chown clang clang-format \
         convert cp cpio csplit dd ditto dos2unix fallocate ffmpeg g++ gcc gofmt gtar gunzip gzip \
         install isort javac ld ln magick mkdir mkfifo mknod mktemp mv mypy objcopy pandoc patch pax \
         protoc rename rm rmdir ruff rustc rustfmt sd setfacl shred split sponge srm strip tar tee \
         touch trash tree truncate unix2dos unlink unxz unzip xz zip zstd",
    ),
];

static BY_NAME: LazyLock<HashMap<&'static str, Risk>> =
    LazyLock::new(|| all_risks().map(|(risk, name)| (name, risk)).collect());

/// Every program of the table with its risk.
pub fn all_risks() -> impl Iterator<Item = (Risk, &'static str)> {
    TABLE
        .iter()
        .flat_map(|(risk, names)| names.split_whitespace().map(|name| (*risk, name)))
}

/// The risk of a program by its name in the form of [`super::table_name`].
pub(super) fn by_table_name(name: &str) -> Option<Risk> {
    let without_version =
        name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
    BY_NAME
        .get(name)
        .or_else(|| BY_NAME.get(without_version))
        .copied()
}
