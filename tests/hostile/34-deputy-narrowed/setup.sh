mkdir src docs; echo words > src/words
