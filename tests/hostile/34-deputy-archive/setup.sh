mkdir src; echo words > src/words
