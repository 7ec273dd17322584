//! A seccomp filter: which calls to the kernel fail, and how. Built here instead of by a library's compiler because one
//! filter answers with different errors, and refuses the calls of the x32 mode, which have other numbers.

use seccompiler::sock_filter;

/// What the kernel says of a call: `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// `AUDIT_ARCH_*` of linux/audit.h.
#[cfg(target_arch = "x86_64")]
const OWN: Option<u32> = Some(0xC000_003E);
#[cfg(target_arch = "aarch64")]
const OWN: Option<u32> = Some(0xC000_00B7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OWN: Option<u32> = None;

/// The bit that calls of the x32 mode have in their number.
const X32: u32 = 0x4000_0000;

/// A condition on the lower half of an argument.
#[derive(Debug, Clone, Copy)]
pub enum Test {
    /// The bits of this mask have exactly this value.
    Is { argument: u32, mask: u32, value: u32 },
    /// Any bit of this mask is set.
    HasAny { argument: u32, mask: u32 },
}

/// What happens to a call of which all tests hold.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Allow,
    /// It fails with this error.
    Fail(i32),
}

impl Answer {
    fn value(self) -> u32 {
        match self {
            Self::Allow => libc::SECCOMP_RET_ALLOW,
            Self::Fail(error) => libc::SECCOMP_RET_ERRNO | (error as u32 & libc::SECCOMP_RET_DATA),
        }
    }
}

/// A filter in the making: the first rule that a call meets decides, and what meets none is allowed.
pub struct Filter {
    program: Vec<sock_filter>,
}

impl Filter {
    /// `None` on a processor whose calls it does not know.
    pub fn new() -> Option<Self> {
        let own = OWN?;
        let mut filter = Self { program: Vec::new() };
        filter.add(LOAD, 0, 0, ARCHITECTURE);
        // A call in another mode of the processor has other numbers, so nothing is known of it.
        filter.add(JUMP_EQUAL, 1, 0, own);
        filter.add(RETURN, 0, 0, libc::SECCOMP_RET_KILL_PROCESS);
        filter.add(LOAD, 0, 0, NUMBER);
        #[cfg(target_arch = "x86_64")]
        {
            filter.add(JUMP_ANY_BIT, 0, 1, X32);
            filter.add(RETURN, 0, 0, Answer::Fail(libc::ENOSYS).value());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = X32;
        Some(filter)
    }

    fn add(&mut self, code: u16, when_true: u8, when_false: u8, value: u32) {
        self.program.push(sock_filter { code, jt: when_true, jf: when_false, k: value });
    }

    /// A call with this number of which all tests hold gets the answer.
    pub fn rule(&mut self, number: libc::c_long, tests: &[Test], answer: Answer) {
        let length: usize = tests.iter().map(Test::length).sum::<usize>() + 1;
        // After a test the number is read again, as the next rule wants it.
        let rest = if tests.is_empty() { length } else { length + 1 };
        self.add(JUMP_EQUAL, 0, rest as u8, number as u32);
        let mut left = length;
        for test in tests {
            left -= test.length();
            // Past the other tests and the answer.
            let away = left as u8;
            match *test {
                Test::Is { argument, mask, value } => {
                    self.add(LOAD, 0, 0, lower_half(argument));
                    self.add(AND, 0, 0, mask);
                    self.add(JUMP_EQUAL, 0, away, value);
                }
                Test::HasAny { argument, mask } => {
                    self.add(LOAD, 0, 0, lower_half(argument));
                    self.add(JUMP_ANY_BIT, 0, away, mask);
                }
            }
        }
        self.add(RETURN, 0, 0, answer.value());
        if !tests.is_empty() {
            self.add(LOAD, 0, 0, NUMBER);
        }
    }

    /// The filter as the kernel takes it.
    pub fn finish(mut self) -> Vec<sock_filter> {
        self.add(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW);
        self.program
    }
}

impl Test {
    /// In instructions.
    fn length(&self) -> usize {
        match self {
            Self::Is { .. } => 3,
            Self::HasAny { .. } => 2,
        }
    }
}

/// Where the lower half of an argument stands; both processors here store it first.
fn lower_half(argument: u32) -> u32 {
    ARGUMENTS + 8 * argument
}
