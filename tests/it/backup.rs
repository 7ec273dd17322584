//! `workflows/backup.yaml` from end to end with a real PostgreSQL.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::databases::{Postgres, programs};
use crate::environment::{Environment, Ran, repository};
use crate::waiting::with_databases;

const TABLES: &str = "\
create table customers (id int primary key, name text not null);
create table orders (id int primary key, customer int references customers, total numeric);
insert into customers select i, 'customer ' || i from generate_series(1, 100) i;
insert into orders select i, i % 100 + 1, i * 1.5 from generate_series(1, 1000) i;
create schema archive;
create table archive.\"odd name\" (text text);";

/// Runs the example as it stands, where there is a server.
pub fn example(environment: &Environment) {
    let (Some(programs), Some(postgres)) = (programs(), Postgres::start()) else { return };
    postgres.ask("postgres", "create database shop");
    let ran = environment
        .command(&["run", "backup", "-i", "database=shop", "-i", &format!("port={}", postgres.port)])
        .env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()))
        .env("DB_PASSWORD", Postgres::PASSWORD)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
}

struct Backup {
    environment: Environment,
    postgres: Postgres,
}

impl Backup {
    /// A database to back up, if there is a server.
    fn new() -> Option<Self> {
        let mut environment = with_databases()?;
        environment.variable("DB_PASSWORD", Postgres::PASSWORD);
        environment.write("backup.yaml", fs::read(repository().join("workflows/backup.yaml")).unwrap());
        let postgres = Postgres::start()?;
        postgres.ask("postgres", "create database shop");
        postgres.ask("shop", TABLES);
        Some(Self { environment, postgres })
    }

    fn run(&self, code: i32) -> Ran {
        let port = format!("port={}", self.postgres.port);
        let ran = self.environment.sluice(&[
            "run",
            "backup.yaml",
            "--json",
            "-i",
            "database=shop",
            "-i",
            "keep=2",
            "-i",
            &port,
        ]);
        let ran = ran.exits_with(code);
        assert!(!ran.whole().contains(Postgres::PASSWORD), "{}", ran.whole());
        assert_eq!(
            self.postgres.ask("postgres", "select datname from pg_database where not datistemplate order by 1"),
            "postgres\nshop",
            "the copy is gone"
        );
        ran
    }

    /// The names of the files that are kept.
    fn kept(&self) -> Vec<String> {
        let folder = self.environment.workspace().join("target/backups");
        let mut names: Vec<String> = fs::read_dir(folder)
            .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }

    /// Puts a program of this name in front of the real one, which is `$REAL` in its text.
    fn replace(&mut self, program: &str, text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let real = programs().unwrap().join(program);
        let path = folder.path().join(program);
        fs::write(
            &path,
            format!("#!/bin/sh\nREAL={}\n[ \"$1\" = --version ] && exec \"$REAL\" --version\n{text}\n", real.display()),
        )
        .unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let rest = format!("{}:{}", programs().unwrap().display(), std::env::var("PATH").unwrap());
        self.environment.variable("PATH", &format!("{}:{rest}", folder.path().display()));
        let workflow = fs::read_to_string(repository().join("workflows/backup.yaml")).unwrap();
        let paths = format!("defaults:\n  paths: read {}\n", folder.path().display());
        self.environment.write("backup.yaml", workflow.replace("defaults:\n", &paths));
        folder
    }
}

#[test]
fn a_backup_is_checked_and_the_last_ones_are_kept() {
    let Some(backup) = Backup::new() else { return };
    let first = backup.run(0);
    assert!(first.stdout.contains("1 kept, the newest with 3 tables"), "{}", first.whole());
    let oldest = backup.kept();
    assert_eq!(oldest.len(), 1, "{oldest:?}");

    backup.postgres.ask("shop", "insert into orders select i, 1, 0 from generate_series(1001, 1500) i");
    backup.run(0);
    assert_eq!(backup.kept().len(), 2);
    let third = backup.run(0);
    assert!(third.stdout.contains("2 kept"), "{}", third.whole());
    let kept = backup.kept();
    assert!(kept.len() == 2 && !kept.contains(&oldest[0]), "{oldest:?} {kept:?}");

    // The newest can be restored by hand.
    let newest = backup.environment.workspace().join("target/backups").join(kept.last().unwrap());
    backup.postgres.ask("postgres", "create database by_hand");
    let restored = std::process::Command::new(programs().unwrap().join("pg_restore"))
        .args(["--host", "127.0.0.1", "--port", &backup.postgres.port.to_string(), "--username", "postgres"])
        .args(["--no-owner", "--dbname", "by_hand"])
        .arg(newest)
        .env("PGPASSWORD", Postgres::PASSWORD)
        .status();
    assert!(restored.unwrap().success());
    assert_eq!(backup.postgres.ask("by_hand", "select count(*), sum(total) from orders"), "1500|750750.0");
}

#[test]
fn a_broken_dump_is_noticed_and_nothing_is_lost() {
    let Some(mut backup) = Backup::new() else { return };
    backup.run(0);
    let good = backup.kept();
    for (text, reason) in [
        // Cut off, as by a full disk.
        (
            "\"$REAL\" \"$@\" || exit; for a; do case $a in --file=*) truncate -s -200 \"${a#--file=}\";; esac; done",
            "pg_restore",
        ),
        // Whole, but without the rows of a table.
        ("exec \"$REAL\" --exclude-table-data=orders \"$@\"", "do not have the rows of the database"),
        // Not there.
        ("echo no space left >&2; exit 1", "pg_restore"),
    ] {
        let _folder = backup.replace("pg_dump", text);
        let ran = backup.run(1);
        assert!(ran.stdout.contains(reason), "{reason}: {}", ran.whole());
        assert!(ran.stdout.contains("NO BACKUP of shop was made"), "{}", ran.whole());
        assert_eq!(backup.kept(), good, "{text}");
    }
}

#[test]
fn a_server_that_is_away_and_a_wrong_password_are_told() {
    let Some(mut backup) = Backup::new() else { return };
    backup.environment.variable("DB_PASSWORD", "something else");
    let ran = backup.run(1);
    assert!(ran.stdout.contains("password authentication failed"), "{}", ran.whole());
    assert!(ran.stdout.contains("NO BACKUP of shop was made"), "{}", ran.whole());
    assert_eq!(backup.kept(), Vec::<String>::new());
}
