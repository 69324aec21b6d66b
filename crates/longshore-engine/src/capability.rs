//! What an engine can do.

/// What an engine can do here and now; data, so that a planner can refuse early and say why.
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each with its own name")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The engine's name: `native`, `docker`, `fake`.
    pub engine: &'static str,
    /// How its containers are kept apart from the machine.
    pub isolation: Isolation,
    /// Containers may be added to a sandbox that runs.
    pub add_container_later: bool,
    /// Containers of a sandbox find each other by name.
    pub names_resolve: bool,
    /// Ports can be published on the machine's addresses.
    pub publish_ports: bool,
    /// Privileged containers are possible.
    pub privileged: bool,
    /// Limits of memory, CPU and processes hold; otherwise the reason why not.
    pub limits: Result<(), String>,
    /// Host directories can be mounted.
    pub bind_mounts: bool,
    /// Files can be copied in and out of containers that do not run.
    pub copy_stopped: bool,
    /// The image `host` exists: this machine's root file system, copy on write.
    pub host_image: bool,
    /// Programs of this machine can work in the network of a container.
    pub beside: bool,
}

/// How containers are kept apart from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Namespaces made by root.
    Root,
    /// Namespaces made by an ordinary user; `root` inside is that user outside.
    Rootless,
    /// By something else, such as a daemon.
    Remote,
    /// Not at all: a fake.
    None,
}
