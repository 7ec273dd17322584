//! `wasi:filesystem/types` with the checks in front. What is not checked goes on to the standard implementation as it is.

use std::os::fd::BorrowedFd;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};
use wasmtime_wasi::{WasiCtxView, WasiView};

use crate::quota::Counted;
use crate::{Files, open_folder};

/// State that has files.
pub trait FilesView: Send + 'static {
    fn files(&mut self) -> (&mut Files, WasiCtxView<'_>);
}

struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    files: &'a mut Files,
    wasi: WasiCtxView<'a>,
}

impl WasiView for View<'_> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: self.wasi.ctx, table: self.wasi.table }
    }
}

/// Puts the checks in front of the files of WASI, which must be in the linker already.
pub fn add_to_linker<T: FilesView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = types::add_to_linker::<T, HasFiles>(linker, |state| {
        let (files, wasi) = state.files();
        View { files, wasi }
    });
    linker.allow_shadowing(false);
    added
}

type Fd = Resource<Descriptor>;

impl View<'_> {
    fn plain(&mut self) -> WasiFilesystemCtxView<'_> {
        self.filesystem()
    }

    /// Asks about a path in a folder that is open. What is not a folder is for WASI to refuse.
    fn check(&mut self, fd: &Fd, ask: impl FnOnce(&mut Files, BorrowedFd<'_>) -> bool) -> FsResult<()> {
        let allowed = match open_folder(self.wasi.table.get(fd)?) {
            Some(folder) => ask(self.files, folder),
            None => true,
        };
        if allowed { Ok(()) } else { Err(ErrorCode::NotPermitted.into()) }
    }

    fn count(&self, bytes: u64) -> FsResult<()> {
        self.files.quota.take(bytes).map_err(|limit| FsError::trap(wasmtime::Error::new(limit)))
    }

    fn counted(&mut self, stream: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let inner = self.wasi.table.delete(stream)?;
        let counted: DynOutputStream = Box::new(Counted { inner, quota: self.files.quota.clone() });
        Ok(self.wasi.table.push(counted)?)
    }
}

impl types::Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.plain().convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.plain().filesystem_error_code(error)
    }
}

impl HostDescriptor for View<'_> {
    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let follow = path_flags.contains(PathFlags::SYMLINK_FOLLOW);
        let changes = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::EXCLUSIVE)
            || flags.contains(DescriptorFlags::WRITE);
        self.check(&fd, |files, folder| {
            files.may_open(folder, &path, follow) && (!changes || files.may_change(folder, &path, follow, false))
        })?;
        self.plain().open_at(fd, path_flags, path, open_flags, flags).await
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check(&fd, |files, folder| files.may_change(folder, &path, false, false))?;
        self.plain().create_directory_at(fd, path).await
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check(&fd, |files, folder| files.may_change(folder, &path, false, false))?;
        self.plain().remove_directory_at(fd, path).await
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check(&fd, |files, folder| files.may_change(folder, &path, false, false))?;
        self.plain().unlink_file_at(fd, path).await
    }

    async fn rename_at(&mut self, fd: Fd, old_path: String, new_fd: Fd, new_path: String) -> FsResult<()> {
        self.check(&fd, |files, folder| files.may_change(folder, &old_path, false, true))?;
        self.check(&new_fd, |files, folder| files.may_change(folder, &new_path, false, true))?;
        self.plain().rename_at(fd, old_path, new_fd, new_path).await
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        old_path_flags: PathFlags,
        old_path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        let follow = old_path_flags.contains(PathFlags::SYMLINK_FOLLOW);
        // By its new name the file could be changed.
        self.check(&fd, |files, folder| {
            files.may_open(folder, &old_path, follow) && files.may_change(folder, &old_path, follow, false)
        })?;
        self.check(&new_fd, |files, folder| files.may_change(folder, &new_path, false, false))?;
        self.plain().link_at(fd, old_path_flags, old_path, new_fd, new_path).await
    }

    async fn symlink_at(&mut self, fd: Fd, text: String, path: String) -> FsResult<()> {
        self.check(&fd, |files, folder| {
            files.may_change(folder, &path, false, true) && files.may_link(folder, &text, &path)
        })?;
        self.plain().symlink_at(fd, text, path).await
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let follow = path_flags.contains(PathFlags::SYMLINK_FOLLOW);
        self.check(&fd, |files, folder| files.may_change(folder, &path, follow, false))?;
        self.plain().set_times_at(fd, path_flags, path, accessed, modified).await
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        if let Descriptor::File(file) = self.wasi.table.get(&fd)? {
            let now = file.file.metadata().map_or(0, |meta| meta.len());
            self.count(size.saturating_sub(now))?;
        }
        self.plain().set_size(fd, size).await
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        self.count(bytes.len() as u64)?;
        self.plain().write(fd, bytes, offset).await
    }

    fn write_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.plain().write_via_stream(fd, offset)?;
        self.counted(stream)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.plain().append_via_stream(fd)?;
        self.counted(stream)
    }

    async fn advise(&mut self, fd: Fd, offset: Filesize, length: Filesize, advice: Advice) -> FsResult<()> {
        self.plain().advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.plain().sync_data(fd).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.plain().get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        self.plain().get_type(fd).await
    }

    async fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        self.plain().set_times(fd, accessed, modified).await
    }

    async fn read(&mut self, fd: Fd, length: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.plain().read(fd, length, offset).await
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        self.plain().read_directory(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.plain().sync(fd).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.plain().stat(fd).await
    }

    async fn stat_at(&mut self, fd: Fd, path_flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        self.plain().stat_at(fd, path_flags, path).await
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.plain().readlink_at(fd, path).await
    }

    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        self.plain().read_via_stream(fd, offset)
    }

    async fn is_same_object(&mut self, one: Fd, other: Fd) -> wasmtime::Result<bool> {
        self.plain().is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        self.plain().metadata_hash(fd).await
    }

    async fn metadata_hash_at(&mut self, fd: Fd, path_flags: PathFlags, path: String) -> FsResult<MetadataHashValue> {
        self.plain().metadata_hash_at(fd, path_flags, path).await
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        HostDescriptor::drop(&mut self.plain(), fd)
    }
}

impl HostDirectoryEntryStream for View<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.plain().read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.plain(), stream)
    }
}
