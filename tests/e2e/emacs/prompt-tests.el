;;; prompt-tests.el --- A person answers an agent in Emacs  -*- lexical-binding: t; -*-

;;; Code:

(require 'editor)

(ert-deftest prompt-shows-the-call-and-leaves-the-focus ()
  (editor-with-place place
    (let* ((before (selected-window))
           (hook (support-command place "touch made-by-the-agent"))
           (text (editor-asked "touch made-by-the-agent")))
      (should (eq (selected-window) before))
      (should (get-buffer-window "*Countersign*"))
      (should (string-search "\n| touch made-by-the-agent\n" text))
      (dolist (part '("claude-code wants to use" "Asked because" "default mode"
                      "RET  or d: deny" "Denials: 0 of 3 blocks in a row"))
        (should (string-search part text)))
      (support-waits hook)
      (editor-go)
      (editor-press "RET")
      (support-blocks hook)
      (editor-idle))))

(ert-deftest prompt-approves-by-its-key-after-reading ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (editor-reads)
      (editor-press "a")
      (support-allows hook)
      (editor-idle))))

(ert-deftest prompt-takes-no-yes-that-is-faster-than-reading ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (editor-go)
      (should-error (editor-press "a") :type 'user-error)
      (support-waits hook)
      (editor-reads)
      (editor-press "a")
      (support-allows hook))))

(ert-deftest prompt-takes-no-yes-that-is-not-its-key ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (editor-reads)
      ;; A command by its name, a program, a macro, another buffer.
      (should-error (call-interactively #'countersign-prompt-approve)
                    :type 'user-error)
      (should-error (countersign-prompt-approve) :type 'user-error)
      (should-error (let ((executing-kbd-macro [?a])) (editor-press "a"))
                    :type 'user-error)
      (should-error (with-selected-window (get-buffer-window "*scratch*")
                      (countersign-prompt-approve))
                    :type 'user-error)
      (support-waits hook)
      (editor-press "d")
      (support-blocks hook))))

(ert-deftest prompt-is-no-yes-when-it-is-quit ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (editor-reads)
      (should (eq 'quit (condition-case nil (editor-press "C-g")
                          (quit 'quit))))
      (support-waits hook)
      (should (editor-asked "touch made-by-the-agent"))
      (editor-press "q")
      (support-blocks hook)
      (editor-idle))))

(ert-deftest prompt-that-is-killed-denies ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (kill-buffer "*Countersign*")
      (support-blocks hook))))

(ert-deftest prompt-tells-the-agent-why ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent")))
      (editor-asked)
      (editor-go)
      (cl-letf (((symbol-function 'read-string)
                 (lambda (&rest _) "Use the build folder.")))
        (editor-press "m"))
      (should (string-search "Use the build folder." (support-blocks hook))))))

(ert-deftest prompt-remembers-what-was-confirmed ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent"))
          asked)
      (editor-asked "Rules that may be remembered")
      (editor-reads)
      ;; A no to the rule, and quitting where it goes, answer nothing.
      (cl-letf (((symbol-function 'y-or-n-p) #'ignore))
        (should-error (editor-press "r") :type 'user-error))
      (cl-letf (((symbol-function 'y-or-n-p) #'always)
                ((symbol-function 'completing-read) (lambda (&rest _) "")))
        (should-error (editor-press "r") :type 'user-error))
      (support-waits hook)
      (cl-letf (((symbol-function 'y-or-n-p)
                 (lambda (prompt) (push prompt asked) t))
                ((symbol-function 'completing-read)
                 (lambda (&rest _) "session")))
        (editor-press "r"))
      (should (equal asked
                     '("Always allow Bash(touch made-by-the-agent)? ")))
      (support-allows hook)
      (editor-idle)
      (support-allows (support-command place "touch made-by-the-agent"))
      (should-not (get-buffer "*Countersign*")))))

(ert-deftest prompt-shows-an-edit-and-its-change ()
  (editor-with-place place
    (let* ((file (support-write place "notes.txt" "first\nsecond\nthird\n"))
           (hook (support-call place "Edit"
                               (list :file_path file :old_string "second"
                                     :new_string "2nd"))))
      (editor-asked "notes.txt")
      (should (string-search "2nd" (editor-text)))
      (editor-go)
      (editor-press "c")
      (support-until "the change"
                     (lambda ()
                       (and (get-buffer "*Countersign: showChange*")
                            (with-current-buffer "*Countersign: showChange*"
                              (and (string-search "-second" (buffer-string))
                                   (string-search "+2nd" (buffer-string)))))))
      (support-waits hook)
      (editor-reads)
      (editor-press "a")
      (support-allows hook))))

(ert-deftest prompt-shows-hostile-text-as-it-is ()
  (editor-with-place place
    (let* ((forged "RET  or d: deny")
           (hook (support-command
                  place (concat "echo a\u202eb\e[2Jc\u200bd\rx\n" forged
                                "\n  a    approve this once")))
           (text (editor-asked "echo a<U+202E>b")))
      (dolist (part '("c<U+200B>d" "\\r" "\\x1b[2J"))
        (should (string-search part text)))
      (should-not (string-match-p "[\u202e\u200b\e\r]" text))
      ;; What the call says stands behind a bar; the key stands without.
      (should (string-search (concat "\n| " forged "\n") text))
      (should (string-search "\n|   a    approve this once\n" text))
      (with-current-buffer "*Countersign*"
        (should-not bidi-display-reordering)
        (should-not truncate-lines)
        (should-not buffer-invisibility-spec))
      (editor-go)
      (editor-press "d")
      (support-blocks hook))))

(ert-deftest prompt-goes-through-several-and-each-is-read-anew ()
  (editor-with-place place
    (let ((first (support-command place "touch one"))
          (second (progn (editor-asked "touch one")
                         (support-command place "touch two"))))
      (support-until "two that wait"
                     (lambda () (= 2 (length (countersign-prompt-open)))))
      ;; The one that is read is not taken away.
      (should (string-search "touch one" (editor-text)))
      (editor-reads)
      (editor-press "n")
      (should (string-search "touch two" (editor-text)))
      (should-error (editor-press "a") :type 'user-error)
      (editor-reads)
      (editor-press "a")
      (support-allows second)
      (editor-asked "touch one")
      (should-error (editor-press "a") :type 'user-error)
      (support-waits first)
      (editor-press "d")
      (support-blocks first))))

(ert-deftest prompt-says-which-parts-are-fine ()
  (editor-with-place place
    (let ((hook (support-command place "touch one")))
      (editor-asked "| touch one")
      (editor-reads)
      (cl-letf (((symbol-function 'y-or-n-p) #'always)
                ((symbol-function 'completing-read)
                 (lambda (&rest _) "session")))
        (editor-press "r"))
      (support-allows hook)
      (editor-idle))
    (let ((hook (support-command place "touch one && touch made-by-the-agent")))
      (editor-asked "Its parts\n  fine  touch one  (")
      (editor-asked "\n  asks  touch made-by-the-agent  (")
      (with-current-buffer "*Countersign*"
        (should (string-search "RET: deny" header-line-format)))
      (editor-go)
      (editor-press "d")
      (support-blocks hook))))

(ert-deftest prompt-of-a-call-that-is-over-closes ()
  (editor-with-place place
    (support-command place "touch made-by-the-agent")
    (editor-asked)
    (countersign-client-command
     editor-connection "deny"
     (list (countersign-ask-id (car (countersign-prompt-open)))))
    (editor-idle)
    (should-error (countersign-pending) :type 'user-error)))

(ert-deftest prompt-keeps-its-nonce-out-of-every-buffer ()
  (editor-with-place place
    (let ((hook (support-command place "touch made-by-the-agent"))
          nonce)
      (editor-asked)
      (setq nonce (plist-get (countersign-ask-data (car (countersign-prompt-open)))
                             :nonce))
      (should (> (length nonce) 20))
      (editor-reads)
      (editor-press "a")
      (support-allows hook)
      (dolist (buffer (buffer-list))
        (with-current-buffer buffer
          (should-not (string-search nonce (buffer-string))))))))

(ert-deftest prompt-may-stay-out-of-sight ()
  (editor-with-place place
    (let* ((countersign-prompt 'notify)
           (hook (support-command place "touch made-by-the-agent")))
      (support-until "one that waits" #'countersign-prompt-open)
      (should-not (get-buffer "*Countersign*"))
      (should (string-search "[1]" (editor-mode-line)))
      (editor-go)
      (should (string-search "touch made-by-the-agent" (editor-text)))
      (editor-press "d")
      (support-blocks hook))))

;;; prompt-tests.el ends here
