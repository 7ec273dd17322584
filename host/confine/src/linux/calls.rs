//! seccomp: the calls to the kernel that no confined program makes.

use libc::{EACCES, ENOSYS, EPERM, c_long};

use crate::confinement::{Confinement, Ports};
use crate::linux::filter::{Answer, Filter, Test};

/// Flags with which a process gets namespaces of its own, and in them rights that it does not have.
const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32;
/// `CLONE_NEWTIME`; for `clone` this bit is part of a signal.
const TIME_NAMESPACE: u32 = 0x80;

/// Sends text to a terminal as if it had been typed: `TIOCSTI`, `TIOCLINUX`.
const TYPING: [u32; 2] = [0x5412, 0x541C];

/// Opens a connection together with the first data, past the check of ports.
const FAST_OPEN: u32 = 0x2000_0000;

/// Kind of a socket without its flags.
const KIND: u32 = 0xf;

/// Calls that fail as if they were not permitted, whatever their arguments.
const FORBIDDEN: &[c_long] = &[
    // Into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_perf_event_open,
    // Namespaces and mounts.
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    OPEN_TREE_ATTR,
    // Files without their path.
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // The kernel itself.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_syslog,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // Keys of the account.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
];

/// Newer than the list of names.
const OPEN_TREE_ATTR: c_long = 467;

/// Calls that fail as on a kernel without them, so that programs take the older way, which can be looked at.
const MISSING: &[c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Filters the calls of the calling thread and what it starts, for good. Nothing that it starts gets more rights than it
/// has.
///
/// # Errors
/// If the kernel or the processor does not do that.
pub fn restrict(confinement: &Confinement) -> Result<(), String> {
    let mut filter = Filter::new().ok_or("seccomp: calls of this processor are not known")?;
    let forbidden = Answer::Fail(EPERM);
    sockets(&mut filter, confinement);
    for number in FORBIDDEN {
        filter.rule(*number, &[], forbidden);
    }
    for number in MISSING {
        filter.rule(*number, &[], Answer::Fail(ENOSYS));
    }
    filter.rule(libc::SYS_clone, &[Test::HasAny { argument: 0, mask: NAMESPACES }], forbidden);
    filter.rule(libc::SYS_unshare, &[Test::HasAny { argument: 0, mask: NAMESPACES | TIME_NAMESPACE }], forbidden);
    for request in TYPING {
        filter.rule(libc::SYS_ioctl, &[Test::Is { argument: 1, mask: u32::MAX, value: request }], forbidden);
    }
    // Limits of another process would end it.
    filter.rule(libc::SYS_prlimit64, &[Test::HasAny { argument: 0, mask: u32::MAX }], forbidden);
    let program = filter.finish();
    seccompiler::apply_filter(&program).map_err(|error| format!("seccomp: {error}"))
}

fn sockets(filter: &mut Filter, confinement: &Confinement) {
    let network = &confinement.network;
    let family = |family: i32| Test::Is { argument: 0, mask: u32::MAX, value: family as u32 };
    let kind = |kind: i32| Test::Is { argument: 1, mask: KIND, value: kind as u32 };
    let protocol = |protocol: i32| Test::Is { argument: 2, mask: u32::MAX, value: protocol as u32 };
    if confinement.local_sockets {
        filter.rule(libc::SYS_socket, &[family(libc::AF_UNIX)], Answer::Allow);
    }
    // Only what the check of ports knows: no other protocol does the work of TCP.
    let tcp = [libc::SOCK_STREAM, libc::IPPROTO_TCP];
    let udp = [libc::SOCK_DGRAM, libc::IPPROTO_UDP];
    let kinds = [(network.is_there(), tcp), (network.udp, udp)];
    for [sort, number] in kinds.into_iter().filter(|(granted, _)| *granted).map(|(_, kind)| kind) {
        for inet in [libc::AF_INET, libc::AF_INET6] {
            for number in [0, number] {
                filter.rule(libc::SYS_socket, &[family(inet), kind(sort), protocol(number)], Answer::Allow);
            }
        }
    }
    filter.rule(libc::SYS_socket, &[], Answer::Fail(EACCES));
    if network.connect != Ports::All {
        for (number, argument) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
            filter.rule(number, &[Test::HasAny { argument, mask: FAST_OPEN }], Answer::Fail(EPERM));
        }
    }
}
