//! Names within a run: `test (linux, 1)` is a cell of the job `test`, `deploy[0]` an item of the step `deploy`. No key of a
//! workflow contains either mark.

/// Before the values of a matrix.
const CELL: &str = " (";
/// Before the place in a list.
const ITEM: char = '[';

/// The job of a cell; a job without a matrix is its own.
pub fn job_of(cell: &str) -> &str {
    cell.split_once(CELL).map_or(cell, |(job, _)| job)
}

/// The step of an item; a step without `for-each` is its own.
pub fn step_of(item: &str) -> &str {
    item.split_once(ITEM).map_or(item, |(step, _)| step)
}

/// Whether the name is that of the job, or of one of its cells.
pub fn is_of_job(job: &str, name: &str) -> bool {
    name.strip_prefix(job).is_some_and(|rest| rest.is_empty() || rest.starts_with(CELL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_belong_to_jobs_and_items_to_steps() {
        assert_eq!(["test", "test (a (b), 1) #2"].map(job_of), ["test", "test"]);
        assert_eq!(["deploy", "deploy[10]"].map(step_of), ["deploy", "deploy"]);
        for (name, is) in
            [("test", true), ("test (1)", true), ("test2", false), ("tes", false), ("release.test", false)]
        {
            assert_eq!(is_of_job("test", name), is, "{name}");
        }
        assert!(is_of_job("test (1)", "test (1)"), "a cell is of itself");
    }
}
