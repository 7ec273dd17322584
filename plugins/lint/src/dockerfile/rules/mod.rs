//! The rules for Dockerfiles. The numbers of hadolint's rules and the names of BuildKit's checks are aliases; what a
//! rule does and says is ours. Rules about size and privileges look only at what ends up in the finished image.

mod commands;
mod copy;
mod metadata;
mod packages;
mod stages;
mod structure;

use super::model::Model;
use crate::rule::{Finding, rules};

rules! {
    SYNTAX = "dockerfile/syntax", Some("DL1000"), Error, on, "an instruction that cannot be read";
    UNKNOWN_INSTRUCTION = "dockerfile/unknown-instruction", Some("DL1000"), Error, on, "a line that begins with no instruction";
    INSTRUCTION_ORDER = "dockerfile/instruction-order", Some("DL3061"), Error, on, "something other than `ARG` before the first `FROM`";
    ONBUILD_TRIGGER = "dockerfile/onbuild-trigger", Some("DL3043"), Error, on, "`ONBUILD` with `FROM`, `ONBUILD` or `MAINTAINER`";
    MAINTAINER = "dockerfile/maintainer", Some("DL4000"), Error, on, "the deprecated `MAINTAINER`";
    MULTIPLE_CMD = "dockerfile/multiple-cmd", Some("DL4003"), Error, on, "a `CMD` that a later one of the stage replaces";
    MULTIPLE_ENTRYPOINT = "dockerfile/multiple-entrypoint", Some("DL4004"), Error, on, "an `ENTRYPOINT` that a later one of the stage replaces";
    MULTIPLE_HEALTHCHECK = "dockerfile/multiple-healthcheck", Some("DL3012"), Error, on, "a `HEALTHCHECK` that a later one of the stage replaces";
    EMPTY_CONTINUATION = "dockerfile/empty-continuation", Some("NoEmptyContinuation"), Warning, on, "a blank line inside of an instruction";
    EXEC_FORM = "dockerfile/exec-form", Some("DL3025"), Warning, on, "`CMD` or `ENTRYPOINT` that runs through a shell";
    MALFORMED_EXEC_FORM = "dockerfile/malformed-exec-form", Some("DL3025"), Warning, on, "`[...]` that is no JSON and so runs through a shell";
    CONSECUTIVE_RUN = "dockerfile/consecutive-run", Some("DL3059"), Info, on, "`RUN` directly after `RUN` in a stage that ships";

    PIN_BASE_IMAGE = "dockerfile/pin-base-image", Some("DL3006"), Warning, on, "a base image without tag";
    LATEST_TAG = "dockerfile/latest-tag", Some("DL3007"), Warning, on, "a base image with the tag `latest`";
    FROM_PLATFORM = "dockerfile/from-platform", Some("DL3029"), Warning, on, "`FROM --platform` with a fixed value";
    REDUNDANT_PLATFORM = "dockerfile/redundant-platform", Some("DL3065"), Info, on, "`FROM --platform=$TARGETPLATFORM`, the default";
    UNDEFINED_FROM_ARGUMENT = "dockerfile/undefined-from-argument", Some("UndefinedArgInFrom"), Warning, on, "a variable in `FROM` that no `ARG` before declares";
    DUPLICATE_STAGE = "dockerfile/duplicate-stage", Some("DL3024"), Error, on, "two stages of one name";
    RESERVED_STAGE = "dockerfile/reserved-stage", Some("DL3063"), Error, on, "a stage named `scratch` or `context`";
    ROOT_USER = "dockerfile/root-user", Some("DL3002"), Warning, on, "`USER root` as the last user of the last stage";
    NUMERIC_USER = "dockerfile/numeric-user", Some("DL3066"), Info, off, "`USER` of the last stage by name, which Kubernetes cannot check";

    COPY_NOT_ADD = "dockerfile/copy-not-add", Some("DL3020"), Error, on, "`ADD` where `COPY` does";
    ADD_ARCHIVE = "dockerfile/add-archive", Some("DL3010"), Info, on, "an archive that is copied and then unpacked";
    COPY_DIRECTORY = "dockerfile/copy-directory", Some("DL3021"), Error, on, "several sources and a target that is no folder";
    COPY_FROM_UNKNOWN = "dockerfile/copy-from-unknown", Some("DL3022"), Warning, on, "`COPY --from` a stage that is not there";
    COPY_FROM_SELF = "dockerfile/copy-from-self", Some("DL3023"), Error, on, "`COPY --from` the stage itself";
    COPY_RELATIVE = "dockerfile/copy-relative", Some("DL3045"), Warning, on, "a relative target without `WORKDIR`";
    COPY_ROOT = "dockerfile/copy-root", Some("DL3067"), Warning, on, "`COPY --from=stage / /`";

    ABSOLUTE_WORKDIR = "dockerfile/absolute-workdir", Some("DL3000"), Error, on, "a relative `WORKDIR`";
    PORT = "dockerfile/port", Some("DL3011"), Error, on, "`EXPOSE` of what is no port";
    ENV_SELF_REFERENCE = "dockerfile/env-self-reference", Some("DL3044"), Error, on, "`ENV` that uses a variable which the same `ENV` sets";
    LEGACY_ENV = "dockerfile/legacy-env", Some("LegacyKeyValueFormat"), Info, on, "`ENV name value` without `=`";
    SECRET_IN_ENV = "dockerfile/secret-in-env", Some("DL3064"), Warning, on, "`ENV` or `ARG` that seems to hold a secret";
    LABEL_KEY = "dockerfile/label-key", Some("DL3048"), Info, on, "a label whose name breaks the rules for names";

    SUDO = "dockerfile/sudo", Some("DL3004"), Error, on, "`sudo` in `RUN`";
    POINTLESS_COMMAND = "dockerfile/pointless-command", Some("DL3001"), Info, on, "a program that makes no sense in a build";
    CD = "dockerfile/cd", Some("DL3003"), Warning, on, "`cd` where `WORKDIR` is meant";
    LINK_SHELL = "dockerfile/link-shell", Some("DL4005"), Warning, on, "`/bin/sh` replaced by a link";
    PIPEFAIL = "dockerfile/pipefail", Some("DL4006"), Warning, on, "a pipe whose left side may fail unseen";
    WGET_AND_CURL = "dockerfile/wget-and-curl", Some("DL4001"), Warning, on, "both `wget` and `curl`";
    WGET_PROGRESS = "dockerfile/wget-progress", Some("DL3047"), Info, on, "`wget` that fills the log with its progress";
    USERADD_LOG = "dockerfile/useradd-log", Some("DL3046"), Warning, on, "`useradd` of a high number without `-l`";

    APT = "dockerfile/apt", Some("DL3027"), Warning, on, "`apt`, which is made for terminals";
    PIN_APT = "dockerfile/pin-apt", Some("DL3008"), Warning, on, "`apt-get install` without versions";
    APT_LISTS = "dockerfile/apt-lists", Some("DL3009"), Info, on, "package lists of apt left in a layer";
    APT_YES = "dockerfile/apt-yes", Some("DL3014"), Warning, on, "`apt-get install` that would ask";
    APT_RECOMMENDS = "dockerfile/apt-recommends", Some("DL3015"), Info, on, "`apt-get install` of recommended packages";
    PIN_APK = "dockerfile/pin-apk", Some("DL3018"), Warning, on, "`apk add` without versions";
    APK_CACHE = "dockerfile/apk-cache", Some("DL3019"), Info, on, "`apk add` without `--no-cache`";
    YUM_YES = "dockerfile/yum-yes", Some("DL3030"), Warning, on, "`yum install` that would ask";
    YUM_CLEAN = "dockerfile/yum-clean", Some("DL3032"), Warning, on, "`yum install` without `yum clean all`";
    PIN_YUM = "dockerfile/pin-yum", Some("DL3033"), Warning, on, "`yum install` without versions";
    ZYPPER_YES = "dockerfile/zypper-yes", Some("DL3034"), Warning, on, "`zypper install` that would ask";
    ZYPPER_DIST_UPGRADE = "dockerfile/zypper-dist-upgrade", Some("DL3035"), Warning, on, "`zypper dist-upgrade`";
    ZYPPER_CLEAN = "dockerfile/zypper-clean", Some("DL3036"), Warning, on, "`zypper install` without `zypper clean`";
    PIN_ZYPPER = "dockerfile/pin-zypper", Some("DL3037"), Warning, on, "`zypper install` without versions";
    DNF_YES = "dockerfile/dnf-yes", Some("DL3038"), Warning, on, "`dnf install` that would ask";
    DNF_CLEAN = "dockerfile/dnf-clean", Some("DL3040"), Warning, on, "`dnf install` without `dnf clean all`";
    PIN_DNF = "dockerfile/pin-dnf", Some("DL3041"), Warning, on, "`dnf install` without versions";
    PIN_PIP = "dockerfile/pin-pip", Some("DL3013"), Warning, on, "`pip install` without versions";
    PIP_CACHE = "dockerfile/pip-cache", Some("DL3042"), Warning, on, "`pip install` that keeps its cache";
    PIN_NPM = "dockerfile/pin-npm", Some("DL3016"), Warning, on, "`npm install` of a package without version";
    YARN_CACHE = "dockerfile/yarn-cache", Some("DL3060"), Info, on, "`yarn install` that keeps its cache";
    PIN_GEM = "dockerfile/pin-gem", Some("DL3028"), Warning, on, "`gem install` without versions";
    PIN_GO = "dockerfile/pin-go", Some("DL3062"), Warning, on, "`go install` without a version";
}

/// Runs all rules.
pub fn check(model: &Model) -> Vec<Finding> {
    let mut found = Vec::new();
    structure::check(model, &mut found);
    stages::check(model, &mut found);
    copy::check(model, &mut found);
    metadata::check(model, &mut found);
    commands::check(model, &mut found);
    packages::check(model, &mut found);
    found
}
